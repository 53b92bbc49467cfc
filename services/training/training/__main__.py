"""Builds training and runs it: `python -m training` serves, `python -m training migrate` updates the database."""

from bihuan.training.v1.assignments_pb2_grpc import add_AssignmentServiceServicer_to_server
from bihuan.training.v1.certificates_pb2_grpc import add_CertificateServiceServicer_to_server
from bihuan.training.v1.courses_pb2_grpc import add_CourseServiceServicer_to_server
from bihuan.training.v1.exams_pb2_grpc import add_ExamServiceServicer_to_server
from bihuan.training.v1.question_banks_pb2_grpc import add_QuestionBankServiceServicer_to_server
from servicekit.service import Platform, Service, run

from training.certificates.signing import CertificateSigner
from training.clocks import build_clocks
from training.facts import entity_facts
from training.policy import Policy
from training.reactions import build_reactions
from training.rpc.assignments import AssignmentServicer
from training.rpc.certificates import CertificateServicer
from training.rpc.courses import CourseServicer
from training.rpc.exams import ExamServicer
from training.rpc.question_banks import QuestionBankServicer
from training.settings import TrainingSettings


def build(settings: TrainingSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("training", settings)
    database, policy = platform.database, Policy.of(platform.standards)
    signer = CertificateSigner(settings.certificate_key_bytes, settings.oidc_issuer)
    return Service(
        platform,
        servicers=[
            (add_CourseServiceServicer_to_server, CourseServicer(database, policy)),
            (add_AssignmentServiceServicer_to_server, AssignmentServicer(database, policy)),
            (add_QuestionBankServiceServicer_to_server, QuestionBankServicer(database, policy)),
            (add_ExamServiceServicer_to_server, ExamServicer(database, policy, signer)),
            (add_CertificateServiceServicer_to_server, CertificateServicer(database, signer)),
        ],
        reactions=build_reactions(policy),
        deadlines=build_clocks(signer),
        entity_facts=entity_facts,
    )


if __name__ == "__main__":
    run(build, TrainingSettings)
