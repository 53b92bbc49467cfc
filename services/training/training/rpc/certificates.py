"""CertificateService (TRN-05)."""

from typing import Any

import grpc.aio
from bihuan.training.v1 import certificates_pb2 as pb
from bihuan.training.v1 import certificates_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from training.certificates import commands, queries
from training.certificates.certificate import State
from training.certificates.signing import ALGORITHM, CertificateSigner
from training.rpc.messages import certificate_message, state_of, verification_message

DEFAULT_PAGE = 50
LISTING = "certificates"

Context = grpc.aio.ServicerContext[Any, Any]


class CertificateServicer(certificates_pb2_grpc.CertificateServiceServicer):
    def __init__(self, database: Database, signer: CertificateSigner) -> None:
        self._database = database
        self._signer = signer

    async def GetCertificate(self, request: pb.GetCertificateRequest, context: Context) -> pb.Certificate:
        async with self._database.transaction("get_certificate") as tx:
            return certificate_message(await queries.get_certificate(tx, request.number, caller(context)))

    async def ListCertificates(
        self, request: pb.ListCertificatesRequest, context: Context
    ) -> pb.ListCertificatesResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_certificates") as tx:
            found = await queries.list_certificates(
                tx,
                caller(context),
                person=request.person,
                skill=request.skill,
                state=state_of(State, pb.CertificateState, request.state),
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = (
            PageToken.encode(narrowed(LISTING, request), page[-1].certificate.certificate_id)
            if len(found) > size
            else ""
        )
        return pb.ListCertificatesResponse(
            certificates=[certificate_message(view) for view in page], next_page_token=more
        )

    async def RevokeCertificate(self, request: pb.RevokeCertificateRequest, _context: Context) -> pb.Certificate:
        async def revoke(tx: UnitOfWork) -> queries.View:
            revoked = await commands.revoke_certificate(
                tx, request.number, reason=request.reason, expected_version=request.expected_version
            )
            return (await queries.describe(tx, [revoked]))[0]

        return certificate_message(await self._database.run("revoke_certificate", revoke))

    async def VerifyCertificate(
        self, request: pb.VerifyCertificateRequest, _context: Context
    ) -> pb.CertificateVerification:
        async with self._database.transaction("verify_certificate") as tx:
            return verification_message(await queries.find_certificate(tx, request.number), tx.now)

    async def VerifySignedCertificate(
        self, request: pb.VerifySignedCertificateRequest, _context: Context
    ) -> pb.CertificateVerification:
        async with self._database.transaction("verify_signed_certificate") as tx:
            return verification_message(await queries.find_by_signature(tx, request.signed, self._signer), tx.now)

    async def ListCertificateKeys(
        self, _request: pb.ListCertificateKeysRequest, _context: Context
    ) -> pb.ListCertificateKeysResponse:
        async with self._database.transaction("list_certificate_keys") as tx:
            keys = await queries.list_keys(tx, self._signer)
        return pb.ListCertificateKeysResponse(
            keys=[
                pb.CertificateKey(kty="OKP", crv="Ed25519", x=x, kid=key_id, alg=ALGORITHM, use="sig")
                for key_id, x in keys.items()
            ]
        )
