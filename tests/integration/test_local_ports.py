import json
import socket
from pathlib import Path

import pytest

from muzikantas.local import ports

# Asks the kernel which ports are free: nothing listens and nothing is reached.
pytestmark = pytest.mark.enable_socket


def test_port_is_remembered_while_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = ports.remembered(path, "postgres")

    assert first in ports.PORTS
    assert ports.remembered(path, "postgres") == first
    assert ports.remembered(path, "valkey") != first


def test_taken_port_is_replaced_and_the_new_one_remembered(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = ports.remembered(path, "postgres")
    with socket.create_server(("127.0.0.1", first)):
        second = ports.remembered(path, "postgres")

        assert second != first
        assert json.loads(path.read_text()) == {"postgres": second}


def test_broken_note_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"postgres": "many"}')

    assert ports.is_free(ports.remembered(path, "postgres"))
