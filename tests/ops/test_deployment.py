"""What docs/deployment.md promises: the image, the unit, the proxies, and whose word counts behind them."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from credmgr import env, settings
from credmgr.ops.checks import READ_ELSEWHERE
from tests.installation import ROOT, Installation, free_port

DEPLOY = ROOT / "docs" / "deploy"
PAGE = ROOT / "docs" / "deployment.md"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
# Some number that no account of a machine has.
NOBODY = 10001


def instructions(name: str) -> list[str]:
    """What follows this instruction, each time it stands in the Dockerfile."""
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)


# ---------------------------------------------------------------------------------------------- the image


def test_the_image_runs_unprivileged_and_says_how_it_is() -> None:
    assert instructions("USER") == [f"{NOBODY}:{NOBODY}"]
    assert DOCKERFILE.index("USER ") > DOCKERFILE.index("compileall")  # what is copied belongs to root
    assert instructions("VOLUME") == ["/data"]
    assert "credmgr.ops.probe" in instructions("HEALTHCHECK")[0]
    assert not instructions("ADD")
    assert not re.search(r"KEYRING|SECRET|PASSWORD|TOKEN", DOCKERFILE)


def test_the_image_takes_pinned_packages_with_their_hashes() -> None:
    [install] = [each for each in instructions("RUN") if "pip install" in each]
    assert "--require-hashes" in install
    assert "-r /requirements.txt" in install
    assert ":latest" not in DOCKERFILE


def copied() -> list[str]:
    """Names from the checkout that go into the image."""
    lines = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return [name for *names, _ in lines for name in names]


def test_the_image_holds_what_is_needed_and_the_builder_is_sent_no_more() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert allowed == set(copied())
    assert ignored[ignored.index("*")] == "*"
    assert {"manage.py", "credmgr", "templates", "static"} <= set(copied())
    assert all((ROOT / name).exists() for name in copied())


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root to become another user"
)
def test_it_runs_as_another_user_on_a_read_only_file_system(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As the container runs: the copied files alone, the image's environment, one writable folder."""
    program = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    packages = [path for path in sys.path if path.endswith("site-packages")]
    if program is None:
        pytest.skip("no Python of this version that other users may run")
    place = Path("/tmp") / tmp_path_factory.mktemp("image").name  # noqa: S108 - pytest's own is closed to others
    source, data = place / "srv", place / "data"
    try:
        source.mkdir(parents=True)
        for name in copied():
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, source / name)
        data.mkdir(mode=0o700)
        os.chown(data, NOBODY, NOBODY)
        given = dict(pair.split("=", 1) for pair in instructions("ENV")[0].split())
        given |= {"CREDMGR_DATA_DIR": str(data), "PATH": f"{Path(program).parent}:/usr/bin:/bin"}
        given |= {"CREDMGR_AUTHORITY_PORT": str(free_port()), "PYTHONPATH": ":".join(packages)}
        given |= {
            "CREDMGR_PUBLIC_URL": "https://credentials.example.com",
            "CREDMGR_TRUSTED_PROXIES": "127.0.0.1",
        }
        given |= {"CREDMGR_BIND_ADDRESS": "127.0.0.1"}
        script = f"""
            mount --make-rprivate / && mount --bind {data} {data} && mount -o remount,bind,ro /
            cd {source} && exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs \
                --bounding-set=-all sh -c '
                touch {place}/x && exit 3
                {program} manage.py serve >{data}/out 2>&1 & server=$!
                for second in $(seq 120); do grep -q "is running" {data}/out && break; sleep 0.5; done
                {program} -m credmgr.ops.probe ready || exit 4
                {program} -m credmgr.ops.probe live || exit 5
                {program} manage.py check --deploy --fail-level WARNING || exit 6
                kill -TERM $server; wait $server || exit 7
                {program} -m credmgr.ops.probe && exit 8
                exit 0'
        """
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", textwrap.dedent(script)],
            env=given,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if "unshare" in done.stderr:
            pytest.skip(f"no mounts of one's own on this machine: {done.stderr.strip()}")
        output = (data / "out").read_text() if (data / "out").exists() else ""
        assert done.returncode == 0, done.stdout + done.stderr + output
        assert "Warning" not in output
    finally:
        shutil.rmtree(place, ignore_errors=True)


# ----------------------------------------------------------------------------------------------- the unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_unit_is_understood_and_hardened() -> None:
    unit = str(DEPLOY / "credmgr.service")
    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    told = [
        line for line in verified.stderr.splitlines() if "credmgr" in line and "is not executable" not in line
    ]
    assert told == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", unit], capture_output=True, text=True, check=False
    )
    if found := re.search(r"exposure level for credmgr.service: ([0-9.]+)", rated.stdout):
        assert float(found[1]) <= 2.0


def test_the_unit_gets_the_key_ring_as_a_credential() -> None:
    unit = (DEPLOY / "credmgr.service").read_text()
    assert "LoadCredential=keyring:" in unit
    assert not re.search(r"^Environment=.*(KEYRING|SECRET)", unit, re.MULTILINE)


# ---------------------------------------------------------------------------------------------- the page


def test_the_page_names_real_settings_and_shows_the_files_as_they_are() -> None:
    assert settings.VERSION
    page = PAGE.read_text()
    named = set(
        re.findall(r"\bCREDMGR_[A-Z_]+\b", page + DOCKERFILE + (DEPLOY / "credmgr.service").read_text())
    )
    known = READ_ELSEWHERE | set(env.defaults)
    assert {name for name in named if name not in known and name.removesuffix("_FILE") not in known} == set()
    for name in ("nginx.conf", "Caddyfile"):
        assert textwrap.indent((DEPLOY / name).read_text(), "    ") in page, name


def test_the_version_is_the_projects() -> None:
    assert f'version = "{settings.VERSION}"' in (ROOT / "pyproject.toml").read_text()


# ---------------------------------------------------------------------------- health, and whose word counts


def probe(one: Installation, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "credmgr.ops.probe", *arguments],
        env=one.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_probe_says_whether_the_server_is_ready(installation: Installation) -> None:
    assert probe(installation).returncode == 0
    assert probe(installation, "live").returncode == 0
    assert probe(installation, "nonsense").returncode == 2
