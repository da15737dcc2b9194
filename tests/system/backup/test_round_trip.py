"""What went into a backup comes out of it: every row, every recording; and nothing that opens doors."""

from __future__ import annotations

import sqlite3
import tarfile
import tomllib
from contextlib import closing
from pathlib import Path

from j5a_admin.backup.read import archive_read
from j5a_admin.version import VERSION
from tests.support.backups import Made, contents
from tests.support.panel import BASE_DIR, Panel

SAY_HOST = "from django.conf import settings; print(settings.HOST_ID)"


def database(panel: Panel) -> sqlite3.Connection:
    return sqlite3.connect(panel.data_dir / "j5a.sqlite3", isolation_level=None)


def backup(panel: Panel, name: str = "backup.tar") -> Path:
    target = panel.root / name
    done = panel.manage("backup", str(target))
    assert done.returncode == 0, done.stderr
    return target


def recordings(panel: Panel) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (panel.data_dir / "uploads").iterdir() if path.suffix == ".mp3"}


def test_into_an_empty_folder_everything_comes_back(made: Made, empty: Panel) -> None:
    done = empty.manage("restore", str(made.backup))
    assert done.returncode == 0, done.stderr
    assert recordings(empty) == recordings(made.panel) != {}
    for table in ("transcribe_job", "transcribe_jobevent", "auth_user", "auth_group"):
        rows = f"SELECT * FROM {table} ORDER BY 1"
        assert list(map(tuple, empty.rows(rows))) == list(map(tuple, made.panel.rows(rows))) != []
    assert not (empty.data_dir / "restoring").exists()
    assert empty.manage("prepare").returncode == 0
    assert len(empty.rows("SELECT 1 FROM transcribe_job")) == 1  # the sample is not submitted a second time


def test_it_names_the_version_that_made_it(made: Made) -> None:
    assert archive_read(made.backup).version == VERSION
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
    assert "version" not in project["project"]  # one home
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "j5a_admin.version.VERSION"}


def test_files_are_for_their_owner_only(made: Made, empty: Panel) -> None:
    empty.manage("restore", str(made.backup))
    files = [made.backup, empty.data_dir / "j5a.sqlite3", *(empty.data_dir / "uploads").glob("*.mp3")]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert (empty.data_dir / "uploads").stat().st_mode & 0o077 == 0


def test_sessions_and_keys_are_not_in_it(copied: Panel) -> None:
    with closing(database(copied)) as rows:
        rows.execute("INSERT INTO django_session VALUES ('sessionkeyofanna', 'data', '2099-01-01')")
    target = backup(copied)
    found = target.read_bytes()
    assert b"SQLite format 3" in found
    for secret in (b"sessionkeyofanna", (copied.data_dir / "secret_key").read_bytes().strip()):
        assert secret not in found
    with tarfile.open(target) as archive:
        assert sorted(name.split("/")[0] for name in archive.getnames()) == ["j5a.sqlite3", "manifest.json", "uploads"]


def test_data_in_the_way_is_left_alone(made: Made, copied: Panel) -> None:
    before = contents(copied.data_dir)
    done = copied.manage("restore", str(made.backup))
    assert done.returncode == 1
    assert f"{copied.data_dir} has data already (j5a.sqlite3), and nothing was changed." in done.stderr
    assert "move this one aside first" in done.stderr
    assert contents(copied.data_dir) == before


def test_an_older_database_is_brought_up_to_date(copied: Panel, empty: Panel) -> None:
    older = copied.manage("migrate", "gate", "0002")
    assert older.returncode == 0, older.stderr
    done = empty.manage("restore", str(backup(copied)))
    assert done.returncode == 0, done.stderr
    assert empty.rows("SELECT count(*) FROM gate_samplesummary")[0][0] == 0


def test_a_newer_database_is_refused(copied: Panel, empty: Panel) -> None:
    with closing(database(copied)) as rows:
        rows.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('gate', '0999_later', '2099-01-01')")
    done = empty.manage("restore", str(backup(copied)))
    assert done.returncode == 1
    assert "newer version of the panel (its database has gate.0999_later). Update the panel" in done.stderr
    assert not (empty.data_dir / "j5a.sqlite3").exists()
    assert not (empty.data_dir / "restoring").exists()


def test_a_job_that_was_running_is_queued_again_wherever_it_ran(copied: Panel, empty: Panel) -> None:
    with closing(database(copied)) as rows:
        rows.execute("UPDATE transcribe_job SET status = 'running', host = 'elsewhere', attempt = 1")
    assert empty.manage("restore", str(backup(copied))).returncode == 0
    job = empty.job(1)
    assert (job["status"], job["owner"]) == ("queued", "worker")
    assert "it was running when the backup was made" in job["reason"]


def test_a_recording_that_is_gone_a_link_or_changed_is_told(copied: Panel, empty: Panel) -> None:
    (path,) = (copied.data_dir / "uploads").glob("*.mp3")
    path.write_bytes(b"changed")
    done = copied.manage("backup", str(copied.root / "changed.tar"))
    assert f"the recording {path.name} is not what was uploaded" in done.stderr
    path.unlink()
    path.symlink_to(copied.data_dir / "secret_key")
    done = copied.manage("backup", str(copied.root / "link.tar"))
    assert f"the recording {path.name} is not in the backup" in done.stderr
    path.unlink()
    done = copied.manage("backup", str(copied.root / "gone.tar"))
    assert (done.returncode, f"{path.name} is not in the backup: it is not there (any more)." in done.stderr) == (
        0,
        True,
    )
    restored = empty.manage("restore", str(copied.root / "gone.tar"))
    assert restored.returncode == 0, restored.stderr
    assert f"It never had the recording {path.name}" in restored.stdout


def test_a_file_that_is_there_is_not_overwritten(copied: Panel) -> None:
    target = copied.root / "here.tar"
    target.write_bytes(b"mine")
    done = copied.manage("backup", str(target))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert target.read_bytes() == b"mine"


def test_a_damaged_database_makes_no_backup(copied: Panel) -> None:
    path = copied.data_dir / "j5a.sqlite3"
    data = bytearray(path.read_bytes())
    data[8192:200_000] = bytes(200_000 - 8192)
    path.write_bytes(data)
    done = copied.manage("backup", str(copied.root / "damaged.tar"))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(copied.root.glob("*.tar")) == []


def test_on_another_machine_the_hours_of_the_queue_apply(copied: Panel, empty: Panel) -> None:
    was = str(copied.manage("shell", "--no-imports", "-c", SAY_HOST).stdout.strip())
    with closing(database(copied)) as rows:
        rows.execute(
            "INSERT INTO transcribe_queuestate VALUES (?, '[[0, 1320, 360]]', 'Europe/Berlin', NULL, '', '', 0)", (was,)
        )
    target = backup(copied)
    empty.env["J5A_HOST_ID"] = "another"
    done = empty.manage("restore", str(target))
    assert done.returncode == 0, done.stderr
    assert f"The hours and a pause of the queue, set on {was}, apply here now." in done.stdout
    states = empty.rows("SELECT host, openings, zone FROM transcribe_queuestate")
    assert list(map(tuple, states)) == [("another", "[[0, 1320, 360]]", "Europe/Berlin")]
