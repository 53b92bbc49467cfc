"""Free ports, and that nobody else chooses one that was given."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import pytest
from servicekit.embedded.ports import claim, free_ports, is_free

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps ports for those who chose them")
SOMEBODY_CLAIMS = "import sys; from servicekit.embedded.ports import claim; print(claim(int(sys.argv[1])))"
SOMEBODY_CHOOSES = "from servicekit.embedded.ports import free_ports; print(next(free_ports()))"


def somebody_else(program: str, *arguments: str) -> str:
    """What another process says, which is over then."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def test_a_port_that_was_given_is_nobody_elses_though_nobody_listens_yet() -> None:
    ports = list(islice(free_ports(), 20))
    assert len(set(ports)) == 20
    assert all(is_free(port) and not claim(port) for port in ports)
    assert somebody_else(SOMEBODY_CLAIMS, str(ports[0])).strip() == "False"


def test_a_port_is_given_back_when_the_process_ends() -> None:
    assert claim(int(somebody_else(SOMEBODY_CHOOSES)))
