"""Rules that hold over the whole tree, whatever a file is about."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [ROOT / ".ci" / "requirements.lock", ROOT / ".ci" / "formats.lock"]
ADDRESS = re.compile(r"\b(?:https?|file|git\+\w+)://[^\s\"'`)>\]]+")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|(?:src|href)=\"([^\"]+)\"")


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60).stdout


@cache
def tree() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in git."""
    names = output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def pages() -> list[Path]:
    return [path for path in tree() if path.suffix == ".md"]


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes from the headings of a page."""
    prose = re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S)
    headings = re.findall(r"^#+\s+(.+?)\s*#*$", prose, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", line)).lower().replace(" ", "-") for line in headings}


def broken_links(page: Path, *, content: str | None = None) -> list[str]:
    """The links of a page, or of what might stand there, that lead nowhere."""
    broken = []
    written = text(page) if content is None else content
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", written, flags=re.M | re.S)
    for first, second in LINK.findall(prose):
        link = unquote(first or second)
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if target not in {*tree(), *(folder for path in tree() for folder in path.parents)}:
            broken.append(f"{page.relative_to(ROOT)}: {link} is not in the tree")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            broken.append(f"{page.relative_to(ROOT)}: {link} names no heading")
    return broken


def test_the_readme_names_the_two_commands() -> None:
    readme = text(ROOT / "README.md")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_relative_link_leads_to_a_file_or_heading_of_the_tree() -> None:
    assert [fault for page in pages() for fault in broken_links(page)] == []


def test_a_broken_link_is_found() -> None:
    page = ROOT / "changelog" / "README.md"
    assert broken_links(page) == []
    nowhere = '[a](nowhere.md) [b](../CHANGELOG.md#nowhere) <img src="../docs/nowhere.png"> [c](#nowhere)'
    assert broken_links(page, content=nowhere) == [
        "changelog/README.md: nowhere.md is not in the tree",
        "changelog/README.md: ../CHANGELOG.md#nowhere names no heading",
        "changelog/README.md: ../docs/nowhere.png is not in the tree",
        "changelog/README.md: #nowhere names no heading",
    ]
    assert broken_links(page, content="[a](../CHANGELOG.md#changes) [b](https://example.org)") == []
    assert ROOT / "CHANGELOG.md" in tree()
    assert "changes" in anchors(ROOT / "CHANGELOG.md")
    assert LINK.findall('[a](b.md) ![c](d.png "e") <img src="f.png">') == [
        ("b.md", ""),
        ("d.png", ""),
        ("", "f.png"),
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_python_lock_holds_no_address(lock: Path) -> None:
    assert ADDRESS.findall(text(lock)) == []
    assert re.findall(r"^\s*-(?!-hash=)\S+", text(lock), flags=re.M) == [], "only hashes, no options"


def test_the_npm_lock_holds_no_address() -> None:
    lock = json.loads(text(ROOT / "labextension" / "package-lock.json"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


def machine_paths() -> re.Pattern[str]:
    """Folders of people and of this very machine; a checkout's own place is known only here, at run time."""
    places = {
        rf"{re.escape(str(Path.home()))}/",
        r"/home/(?!jovyan\b|ada\b|you\b)\w+/",
        r"/Users/(?!ada\b|you\b)\w+/",
    }
    for folder in (ROOT, ROOT.parent):
        if len(folder.parts) > 1 and str(folder) not in {"/tmp", "/var", "/opt", "/home", "/srv"}:
            places.add(re.escape(str(folder)) + r"(?:/|\b(?!-))")
    return re.compile(r"(?<![\w.}/$-])(?:" + "|".join(sorted(places)) + ")")


def test_no_file_names_a_place_of_one_machine() -> None:
    pattern = machine_paths()
    assert pattern.search(f"cd {ROOT}/docs"), "the pattern finds what it is for"
    found = [f"{path.relative_to(ROOT)}: {hit[0]}" for path in tree() for hit in pattern.finditer(text(path))]
    assert found == []


@cache
def registry_hosts() -> frozenset[str]:
    """The hosts that this machine's package tools are set up to ask."""
    settings = [output("pip", "config", "list")] if shutil.which("pip") else []
    if shutil.which("npm"):
        settings.append(output("npm", "config", "get", "registry"))
    for source in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")):
        settings.append(source.read_text("utf-8") if source.is_file() else "")
    return frozenset(re.findall(r"https?://([\w.-]+)", "\n".join(settings)))


def test_no_file_names_the_host_of_a_package_registry() -> None:
    usual = re.compile(r"https?://[\w.-]*(?:registry|pythonhosted|pypi|npmjs|mirror)[\w.-]*")
    found = [f"{path.relative_to(ROOT)}: {hit[0]}" for path in tree() for hit in usual.finditer(text(path))]
    for host in registry_hosts():
        found += [f"{path.relative_to(ROOT)}: {host}" for path in tree() if host in text(path)]
    assert found == []


def test_no_large_file_is_in_the_tree() -> None:
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size for path in tree() if path.stat().st_size > 1_500_000
    }
    assert large == {}


def decisions() -> list[Path]:
    folder = ROOT / "docs" / "decisions"
    return sorted(path for path in folder.glob("[0-9]*.md") if not path.name.startswith("0000-"))


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \|", text(ROOT / "docs/decisions/README.md"), flags=re.M)
    assert listed == [(f"{number:04}", path.name) for number, path in enumerate(decisions(), start=1)]


@pytest.mark.parametrize(
    "section", ["Status: ", "## What was the question", "## What we do", "## What follows"]
)
def test_every_decision_has_the_parts_of_the_template(section: str) -> None:
    template = ROOT / "docs" / "decisions" / "0000-template.md"
    assert [path.name for path in (template, *decisions()) if f"\n{section}" not in text(path)] == []
