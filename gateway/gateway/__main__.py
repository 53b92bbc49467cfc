"""`python -m gateway` serves; `python -m gateway issuer-init DIR` makes the built-in issuer's key and accounts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    actions = arguments.add_subparsers(dest="action")
    issuer_init = actions.add_parser(
        "issuer-init", help="make the built-in issuer's key and accounts; again is harmless"
    )
    issuer_init.add_argument("folder", type=Path)
    chosen = arguments.parse_args()
    # Each imports what it needs: keys don't take the second that the application does.
    if chosen.action == "issuer-init":
        from gateway.issuer.initialise import initialise  # noqa: PLC0415

        written = initialise(chosen.folder)
        sys.stdout.write(f"{chosen.folder}: {', '.join(written) or 'nothing to do'}\n")
    else:
        from servicekit.settings import read_settings  # noqa: PLC0415

        from gateway.serving import serve  # noqa: PLC0415
        from gateway.settings import GatewaySettings  # noqa: PLC0415

        serve(read_settings(GatewaySettings))


if __name__ == "__main__":
    main()
