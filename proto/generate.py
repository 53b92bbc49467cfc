"""Generates the contracts: Python messages, type stubs, gRPC stubs, and one descriptor image for buf and OpenAPI.

Run by the build of this distribution, and by `make proto` after an edit. Everything lands in `gen/`, which git ignores.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from google.api import annotations_pb2, http_pb2, httpbody_pb2
from google.protobuf import any_pb2, descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from google.rpc import status_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

HERE = Path(__file__).resolve().parent
GENERATED = HERE / "gen"
IMAGE = "bihuan/contracts.binpb"


def foreign_descriptors() -> bytes:
    """The descriptors that our contracts import, taken from the wheels that own them.

    The protovalidate wheel brings `buf/validate/validate.proto` only as a compiled descriptor, so protoc gets
    descriptors instead of sources for everything that is not ours.
    """
    image = descriptor_pb2.FileDescriptorSet()
    ours_import = (duration_pb2, field_mask_pb2, timestamp_pb2, http_pb2, httpbody_pb2, annotations_pb2, status_pb2)
    for module in (descriptor_pb2, any_pb2, *ours_import):
        module.DESCRIPTOR.CopyToProto(image.file.add())
    image.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 -- the wheel offers it nowhere else
    return image.SerializeToString()


def generate(target: Path = GENERATED) -> None:
    """Writes the generated tree to `target`, replacing what was there. Raises SystemExit with protoc's own message."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "bihuan").mkdir(parents=True)
    foreign = fresh / "foreign.binpb"
    foreign.write_bytes(foreign_descriptors())
    sources = sorted(str(path.relative_to(HERE)) for path in (HERE / "bihuan").rglob("*.proto"))
    failed = protoc.main(
        [
            "protoc",
            f"-I{HERE}",
            f"--descriptor_set_in={foreign}",
            f"--python_out={fresh}",
            f"--pyi_out={fresh}",
            f"--grpc_python_out={fresh}",
            "--include_source_info",
            "--include_imports",
            f"--descriptor_set_out={fresh / IMAGE}",
            *sources,
            "buf/validate/validate.proto",
        ]
    )
    if failed:
        raise SystemExit("protoc refused the contracts; its message is above")
    foreign.unlink()
    for folder in [fresh / "bihuan", *(p for p in (fresh / "bihuan").rglob("*") if p.is_dir())]:
        (folder / "__init__.py").touch()
    (fresh / "bihuan" / "py.typed").touch()
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


if __name__ == "__main__":
    generate()
    sys.stdout.write(f"contracts generated in {GENERATED.relative_to(HERE.parent)}/\n")
