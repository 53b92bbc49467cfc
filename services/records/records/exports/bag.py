"""A bag in a ZIP file: BagIt 1.0, RFC 8493. Pure.

Written here and not by the `bagit` library, which makes bags of folders on a disk: ours never touches one.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD = "data/"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"


def zipped_bag(
    name: str, payload: Mapping[str, bytes], tags: Mapping[str, bytes], info: Mapping[str, str], at: datetime
) -> bytes:
    """`name` is the folder in the ZIP file, `payload` what stands below `data/`, `tags` what stands beside it.

    The same arguments give the same bytes.
    """
    files = {f"{PAYLOAD}{path}": content for path, content in payload.items()}
    manifest = _manifest(files)
    size = sum(len(content) for content in payload.values())
    described = {**info, "Payload-Oxum": f"{size}.{len(payload)}"}
    tag_files = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": "".join(f"{label}: {_one_line(value)}\n" for label, value in described.items()).encode(),
        MANIFEST: manifest,
        **tags,
    }
    everything = {**tag_files, TAG_MANIFEST: _manifest(tag_files), **files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in everything.items():
            entry = zipfile.ZipInfo(f"{name}/{path}", at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _manifest(files: Mapping[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items())]
    return "".join(lines).encode()


def _one_line(value: str) -> str:
    """A value may go on in a next line that is indented; ours never does."""
    return " ".join(value.split())
