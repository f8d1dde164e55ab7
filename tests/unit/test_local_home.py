import os
from pathlib import Path

import pytest
from dotenv import dotenv_values

from muzikantas.domain.errors import InputError
from muzikantas.local.home import Home, kept_secret
from muzikantas.local.lock import hold
from muzikantas.local.processes import ProcessId, sweep, write_children
from muzikantas.local.service import Service, check_order


def test_private_folders_are_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")

    assert {folder.stat().st_mode & 0o777 for folder in (home.data, home.logs, home.run)} == {0o700}
    assert home.store.is_dir()
    assert home.report.is_dir()


def test_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match="MUZ_HOME"):
        Home(tmp_path / "file")


def test_env_is_read_back_by_dotenv_and_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    values = {"REDIS_URL": "redis://:a-b_C@127.0.0.1:1/0", "NAME": "two words # and a hash"}

    path = home.write_env(values)

    assert dotenv_values(path) == values
    assert path.stat().st_mode & 0o777 == 0o600
    home.remove_env()
    home.remove_env()
    assert not path.exists()


@pytest.mark.parametrize("value", ["it's", "a\\b", "${HOME}", "two\nlines"])
def test_env_value_that_readers_understand_differently_is_refused(tmp_path: Path, value: str) -> None:
    home = Home(tmp_path)

    with pytest.raises(InputError, match="KEY"):
        home.write_env({"KEY": value})

    assert not (home.run / "env").exists()


def test_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "password"

    first = kept_secret(path)

    assert kept_secret(path) == first
    assert len(first) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(InputError, match=f"held by pid {os.getpid()} "), hold(tmp_path):
        pytest.fail("two holders")

    with hold(tmp_path):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def service(name: str, *after: str) -> Service:
    return Service(name=name, argv=["/bin/true"], env={}, after=after)


def test_order_may_be_any_that_ends() -> None:
    check_order([service("c", "a", "b"), service("b", "a"), service("a", "running")], {"running"})


@pytest.mark.parametrize("services", [[service("a", "missing")], [service("a", "b"), service("b", "a")]])
def test_order_that_never_ends_is_refused(services: list[Service]) -> None:
    with pytest.raises(InputError, match="a after"):
        check_order(services, [])


def test_sweep_spares_a_process_that_only_has_the_pid_of_a_dead_one(tmp_path: Path) -> None:
    me = ProcessId.of("me", os.getpid())
    before = ProcessId(name="postgres", pid=me.pid, started=me.started - 1, boot=me.boot)
    other_boot = ProcessId(name="valkey", pid=me.pid, started=me.started, boot="before the power cut")
    write_children(tmp_path / "children.json", before, [before, other_boot])

    assert sweep(tmp_path / "children.json") == []


@pytest.mark.parametrize("text", ["", "[]", '{"supervisor": 1, "children": []}'])
def test_sweep_of_a_broken_file_does_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "children.json").write_text(text)

    assert sweep(tmp_path / "children.json") == []
