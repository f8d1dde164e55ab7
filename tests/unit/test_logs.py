"""Logs are JSON with ids, and a planted secret never reaches them."""

import json
import logging

from muzikantas import logs


def line(record: logging.LogRecord, *secrets: str) -> str:
    return logs.Redacting(secrets).format(record)


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("muzikantas.test", logging.INFO, __file__, 1, message, args, info)


def test_a_line_is_json_with_the_ids_of_its_task() -> None:
    with logs.context(task="generate", task_id="abc", subject=17):
        values = json.loads(line(record("sent %d", 3)))
    assert values["message"] == "sent 3"
    assert (values["task"], values["task_id"], values["subject"], values["level"]) == ("generate", "abc", 17, "INFO")


def test_contexts_nest_and_end() -> None:
    with logs.context(task="outer"), logs.context(cycle=4):
        inside = json.loads(line(record("x")))
    outside = json.loads(line(record("x")))
    assert (inside["task"], inside["cycle"]) == ("outer", 4)
    assert "task" not in outside


def test_a_planted_secret_is_replaced_in_message_arguments_and_traceback() -> None:
    secret = "sk-planted-0815"
    try:
        raise ValueError(f"refused for {secret}")
    except ValueError as error:
        text = line(record("key %s", secret, error=error), secret)
    assert secret not in text
    assert text.count("***") >= 2
    json.loads(text)


def test_a_secret_too_short_to_be_one_blanks_nothing() -> None:
    assert json.loads(line(record("a fine message"), "fine"))["message"] == "a fine message"
