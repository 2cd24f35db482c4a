"""The control socket is a convenience: an agent that cannot have one still sends."""

import asyncio
import logging
from unittest.mock import create_autospec

from edge_agent.control import Desk, serve


def test_a_path_too_long_for_a_socket_costs_the_command_line_and_not_the_agent(tmp_path, caplog):
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(serve(folder / "journal.sock", create_autospec(Desk)), 10))
    assert "status, send and ussd cannot reach this agent" in caplog.text


def test_a_socket_in_a_folder_that_cannot_be_written_costs_only_the_command_line(tmp_path, caplog):
    asyncio.run(asyncio.wait_for(serve(tmp_path / "missing" / "journal.sock", create_autospec(Desk)), 10))
    assert "no socket at" in caplog.text
