"""A bag in a ZIP file, as BagIt 1.0 has it (RFC 8493): whether it is complete and unchanged."""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping

from bihuan_verify.documents import DocumentError
from bihuan_verify.findings import Outcome

MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAYLOAD = "data/"
# A package is read into memory: a hostile one must not fill it.
MOST_BYTES = 512 * 1024 * 1024
# What reading a ZIP file of anybody's making ends with.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def read_bag(content: bytes) -> dict[str, bytes]:
    """Every file of the bag by its path in it. Raises DocumentError for what is no ZIP file with one folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise DocumentError("package_too_large")
            folders = {entry.filename.partition("/")[0] for entry in entries}
            if len(folders) != 1:
                raise DocumentError("not_one_folder")
            if len({entry.filename for entry in entries}) != len(entries):
                raise DocumentError("file_twice")
            return {entry.filename.partition("/")[2]: archive.read(entry) for entry in entries}
    except DocumentError:
        raise
    except _UNREADABLE:
        raise DocumentError("not_a_zip") from None


def check_bag(files: Mapping[str, bytes], outcome: Outcome) -> None:
    """Declaration, both manifests, nothing missing, nothing added."""
    declaration = files.get("bagit.txt", b"").decode("utf-8", "replace").split("\n")
    if declaration[0].strip() != "BagIt-Version: 1.0":
        outcome.wrong("not_a_bag", "bagit.txt")
    payload = {path for path in files if path.startswith(PAYLOAD)}
    tags = files.keys() - payload - {TAG_MANIFEST}
    for manifest, covered in ((MANIFEST, payload), (TAG_MANIFEST, tags)):
        listed = _read_manifest(files.get(manifest, b""), manifest, outcome)
        for path, digest in listed.items():
            if path not in files:
                outcome.wrong("file_missing", path)
            elif hashlib.sha256(files[path]).hexdigest() != digest:
                outcome.wrong("file_changed", path)
        for path in sorted(covered - listed.keys()):
            outcome.wrong("file_added", path)
    if not outcome.findings:
        outcome.well("bag_whole", files=len(files))


def _read_manifest(content: bytes, name: str, outcome: Outcome) -> dict[str, str]:
    if not content:
        outcome.wrong("file_missing", name)
    listed: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        digest, _, path = line.partition(" ")
        listed[path.strip().removeprefix("*")] = digest.lower()
    return listed
