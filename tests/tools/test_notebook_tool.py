"""The tool that makes notebooks, on what it cannot read and on what only one machine shows."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import nbformat
import notebooks
import pytest
import repository
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from notebooks import NotebookError
from test_making import TEXT
from traces import trace, traces

KERNEL = TEXT.split("---\n")[1]
BODY = TEXT.split("---\n", 2)[2]
HEADER = TEXT.split("---\n")[3]  # of the last cell
FIRST_CELL = "```{code-cell} ipython3\nprint(6 * 7)\n```\n"


def front(header: str) -> str:
    return f"---\n{header}---\n{BODY}"


def option(line: str) -> str:
    """Give the first cell an option."""
    return TEXT.replace("ipython3\nprint", f"ipython3\n{line}\n\nprint")


def pretend(nb: NotebookNode, folder: Path) -> None:
    """Leave a notebook as if its code cells had run and shown nothing."""
    for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book of three chapters, made without a kernel."""
    folder = tmp_path / "book"
    (folder / "src").mkdir(parents=True)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "BOOK", folder)
    monkeypatch.setattr(notebooks, "SOURCES", folder / "src")
    monkeypatch.setattr(notebooks, "execute", pretend)
    for name in ("01-one", "02-two", "03-three"):
        (folder / "src" / f"{name}.md").write_text(TEXT, encoding="utf-8")
        notebooks.make(folder / "src" / f"{name}.md")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable:
    """The command line: its exit status, what it printed, and its complaints."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["notebooks.py", *arguments])
        try:
            return notebooks.main(), *capsys.readouterr()
        except KeyboardInterrupt:  # would end pytest
            pytest.fail("an interrupt came through")

    return call


# Texts


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
        lambda text: text.rstrip(),
        lambda text: text.replace(b"Python 3", b"Python 3 (ipykernel)"),
        lambda text: text.replace(b"  language: python\n", b""),
    ],
    ids=["mark", "crlf", "mark and crlf", "no last line end", "display name", "no language"],
)
def test_how_a_text_is_stored_changes_no_notebook(book: Path, spoil: Callable) -> None:
    source = book / "src" / "01-one.md"
    source.write_bytes(spoil(TEXT.encode()))
    assert notebooks.check(source) == []


UNREADABLE = {
    "byte": (TEXT.encode().replace(b"First", b"F\xfcrst"), "line 10: byte 0xfc is not UTF-8"),
    "utf-16": (TEXT.encode("utf-16"), "not UTF-8"),
    "two marks": ("\ufeff\ufeff" + TEXT, r"line 1: .* U\+FEFF"),
    "mark inside": (TEXT.replace("First", "\ufeffFirst"), r"line 10: .* U\+FEFF"),
    "form feed": (TEXT.replace("First", "\fFirst"), r"line 10: .* U\+000C"),
    "line separator": (TEXT.replace("First", "First\u2028"), r"line 10: .* U\+2028"),
    "nul": (TEXT.replace("First", "\0First"), r"line 10: .* U\+0000"),
    "empty": ("", "front matter .* is missing"),
    "no front matter": (BODY, "front matter .* is missing"),
    "late front matter": ("\n" + TEXT, "front matter .* is missing"),
    "open front matter": (f"---\n{KERNEL}", "front matter .* is missing"),
    "tab in front matter": (
        front(KERNEL.replace("  name", "\tname")),
        "not YAML: line 3",
    ),
    "alias": (front(KERNEL + "x: *a\n"), "not YAML: line 6"),
    "front matter a list": (front("- kernelspec\n"), "line 1: .*`key: value`"),
    "front matter a word": (front("kernelspec\n"), "line 1: .*`key: value`"),
    "front matter of nothing": (front("\n"), "line 1: .*`key: value`"),
    "no kernel": (front("jupytext: {}\n"), "line 1: .*display_name"),
    "kernel a word": (front("kernelspec: python3\n"), "line 1: .*display_name"),
    "no display name": (TEXT.replace("  display_name: Python 3\n", ""), "line 1: .*display_name"),
    "no name": (TEXT.replace("  name: python3\n", ""), "line 1: .*the name 'python3', not None"),
    "another kernel": (TEXT.replace("name: python3", "name: ir"), "line 1: .*not 'ir'"),
    "another format": (
        front(KERNEL + "jupytext: {text_representation: {format_name: markdown}}\n"),
        "line 1: .*'markdown'",
    ),
    "jupytext a number": (front(KERNEL + "jupytext: 3\n"), "01-one.md: "),
    "lost front matter": (front(KERNEL + "orphan: true\n"), "line 1: .*orphan"),
    "deep": (front(f"{KERNEL}jupytext: {'[' * 3000}\n"), "01-one.md: "),
    "tab in a cell": (TEXT.replace("  figure", "\tfigure"), "options are not YAML: line 23"),
    "tab in an option": (option(":tags:\t[a\n:\t- b"), "options are not YAML: line 1[34]"),
    "alias in a cell": (option(":tags: *a"), "options are not YAML: line 13"),
    "unknown option": (option(":tagz: [hide-input]"), "line 12: .*tagz"),
    "unknown in a header": (TEXT.replace("mystnb:", "mystbn:"), "line 20: .*mystbn"),
    "no second colon": (option(":tags [hide-input]"), "line 12: .*`:key: value`"),
    "header a list": (TEXT.replace(HEADER, "- a\n"), "line 20: .*`:key: value`"),
    "header not closed": (TEXT.replace("rises.\n---\n", "rises.\n"), "options are not YAML"),
    "one tag": (option(":tags: hide-input"), "line 12: .*tags"),
    "no tags": (option(":tags:"), "line 12: .*tags"),
    "a tag twice": (option(":tags: [a, a]"), "line 12: .*tags"),
    "a date": (TEXT.replace("A line.", "2020-01-01"), "line 20: .*date"),
    "half a character": (TEXT.replace("A line.", r'"\ud800"'), "line 20: .*surrogate"),
    "open last block": (TEXT.rstrip().removesuffix("```"), "line 20: .* not closed"),
    "open cell": (TEXT.replace("7)\n```\n", "7)\n"), "line 12: .* not closed before line 19"),
    "open note": (
        TEXT.replace("First", "```{note}\nFirst"),
        "line 10: .* not closed before line 13",
    ),
    "cell in a list": (
        TEXT.replace(FIRST_CELL, "- " + FIRST_CELL.replace("\n", "\n  ")),
        "line 12: not taken for a cell",
    ),
    "cell in a quotation": (
        TEXT.replace(FIRST_CELL, "> " + FIRST_CELL.strip().replace("\n", "\n> ") + "\n"),
        "line 12: not taken for a cell",
    ),
    "space": (TEXT.replace("```{code", "``` {code"), "line 12: not taken for a cell"),
    "break not JSON": (TEXT.replace("+++", "+++ {a"), "line 16"),
    "break a list": (TEXT.replace("+++", "+++ [1]"), "line 16"),
    "an editor's option": (option(":editable: true"), "line 12: .*editable"),
    "break with an option": (TEXT.replace("+++", '+++ {"editable": true}'), "editable"),
    "break with one tag": (TEXT.replace("+++", '+++ {"tags": "a"}'), "array"),
}


@pytest.mark.parametrize(("text", "complaint"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_text_that_cannot_be_read_names_its_file(
    book: Path, text: str | bytes, complaint: str
) -> None:
    source = book / "src" / "01-one.md"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    for call in (notebooks.parse, notebooks.make):
        with pytest.raises(NotebookError, match=complaint) as caught:
            call(source)
        assert str(caught.value).startswith(f"{Path('book/src/01-one.md')}: ")
    [problem] = notebooks.check(source)
    assert problem.startswith(f"{Path('book/src/01-one.md')}: ")
    assert re.search(complaint, problem)


@pytest.mark.parametrize(
    "block",
    [
        "````{note}\n```{code-cell} ipython3\n1\n```\n````",
        "```python\nf'{x}'\n```",
        "~~~\n```\n~~~",
        "- a list\n\n  ```text\n  in it\n  ```",
        "> ```text\n> in a quotation\n> ```",
        "`````\nlonger\n``````",
        "```{math}\na_{1}\n```",
        "A ``` in words, a × b ≤ c, and a no-break\u00a0space.",
        "````{code-cell} ipython3\n:tags: [hide-input]\n\n'''```'''\n````",
        "```{code-cell} ipython3\n---\ntags: [a, b]\nmystnb: {image: {alt: A.}}\n---\n1\n```",
        '+++ {"tags": ["a"]}\n\nWords.',
    ],
)
def test_a_block_that_is_closed_is_read(book: Path, block: str) -> None:
    source = book / "src" / "01-one.md"
    source.write_text(f"{TEXT}\n{block}\n", encoding="utf-8")
    assert notebooks.parse(source)


def test_the_notebook_is_what_its_file_will_hold(book: Path) -> None:
    source = book / "src" / "01-one.md"
    source.write_text(
        TEXT.replace("caption: A line.", "1: A key that JSON writes as a text."), encoding="utf-8"
    )
    notebooks.make(source)
    assert notebooks.check(source) == []


@pytest.mark.parametrize(
    "spoil",
    [Path.mkdir, lambda path: path.symlink_to("nowhere"), lambda path: path.symlink_to(path)],
    ids=["folder", "dead link", "link to itself"],
)
@pytest.mark.parametrize("name", ["src/01-one.md", "01-one.ipynb"])
def test_what_is_no_file_is_named(book: Path, run: Callable, name: str, spoil: Callable) -> None:
    (book / name).unlink()
    spoil(book / name)
    status, said, complaints = run("--check")
    assert status == 1
    assert [line.split()[1] for line in said.splitlines()[:3]] == ["FAILED", "ok", "ok"]
    assert name in complaints or "notebook is missing" in complaints


@pytest.mark.parametrize("arguments", [[], ["--check"]], ids=["make", "check"])
def test_the_other_chapters_go_on(book: Path, run: Callable, arguments: list[str]) -> None:
    before = (book / "02-two.ipynb").read_bytes()
    (book / "src" / "02-two.md").write_bytes(TEXT.encode("utf-16"))
    if not arguments:
        (book / "01-one.ipynb").unlink()
        (book / "03-three.ipynb").unlink()
    status, said, complaints = run(*arguments)
    assert status == 1
    assert [line.split()[1] for line in said.splitlines()] == ["ok", "FAILED", "ok"]
    assert (
        complaints.split()
        == f"{Path('book/src/02-two.md')}: line 1: byte 0xff is not UTF-8".split()
    )
    assert (book / "02-two.ipynb").read_bytes() == before
    assert (book / "03-three.ipynb").exists()


def test_files_of_editors_are_no_chapters(book: Path, run: Callable) -> None:
    (book / "src" / ".#01-one.md").symlink_to("me@here.1234")
    (book / "src" / "._02-two.md").write_bytes(b"\xff")
    (book / "._02-two.ipynb").write_bytes(b"\xff")
    assert run("--check")[0] == 0


# Stored notebooks


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda raw: b"", "line 1: not JSON"),
        (lambda raw: raw[: len(raw) // 2], r"line \d+: not JSON"),
        (lambda raw: b"\xef\xbb\xbf" + raw, "line 1: not JSON: .*BOM"),
        (lambda raw: raw.replace(b"First", b"\xff"), r"line \d+: byte 0xff"),
        (lambda raw: b"null", "not a notebook"),
        (lambda raw: b"[1]", "not a notebook"),
        (lambda raw: b'"text"', "not a notebook"),
        (lambda raw: b"{}", "not a notebook"),
        (lambda raw: b"[" * 100_000, "01-one.ipynb: "),
        (lambda raw: raw.replace(b'"nbformat": 4', b'"nbformat": 3'), "not a notebook"),
        (lambda raw: raw.replace(b'"nbformat": 4', b'"nbformat": "4"'), "not a notebook"),
        (lambda raw: raw.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 4'), "not a notebook"),
        (lambda raw: raw.replace(b'   "id"', b'   "name"'), "not a notebook"),
        (lambda raw: raw.replace(b'"cells"', b'"worksheets"'), "not a notebook"),
        (lambda raw: raw.replace(b'"outputs": []', b'"outputs": {}'), "not a notebook"),
        (
            lambda raw: raw.replace(b'"outputs": []', b'"outputs": [{"text": "1"}]'),
            "not a notebook",
        ),
    ],
)
def test_a_stored_notebook_that_cannot_be_read_is_named(
    book: Path, run: Callable, spoil: Callable, complaint: str
) -> None:
    path = book / "01-one.ipynb"
    path.write_bytes(spoil(path.read_bytes()))
    [problem] = notebooks.check(book / "src" / "01-one.md")
    assert problem.startswith(f"{Path('book/01-one.ipynb')}: ")
    assert run("--check")[1].count(" ok ") == 2
    with pytest.raises(NotebookError, match=complaint):
        raise NotebookError(problem)
    notebooks.make(book / "src" / "01-one.md")  # and is made again
    assert notebooks.check(book / "src" / "01-one.md") == []


PICTURE = {"image/png": "", "application/papermill.record/image/png": ""}


@pytest.mark.parametrize(
    "style", [None, 3, "text", [], {"image": None, "figure": "x"}, {"image": {"alt": 3}}]
)
def test_a_style_of_any_shape_is_no_alt_text(style: Any) -> None:
    output = new_output("display_data", data=PICTURE, metadata={"scrapbook": style})
    cell = nbformat.v4.new_code_cell(
        "", outputs=[output], metadata={"mystnb": style}, execution_count=1
    )
    found = "\n".join(notebooks.output_problems(nbformat.v4.new_notebook(cells=[cell])))
    assert "without alt text" in found
    assert "without caption" in found
    assert "glues None" in found


# Writing and executing


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_file_is_written_as_a_whole(
    book: Path, run: Callable, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    files = {path: path.read_bytes() for path in book.glob("*") if path.is_file()}
    for text in book.glob("src/*.md"):
        text.write_text(
            text.read_text(encoding="utf-8").replace("6 * 7", "6 * 9"), encoding="utf-8"
        )

    def half(path: Path, text: str, **options: Any) -> None:
        with path.open("w", **options) as file:
            file.write(text[:20])
        raise error

    monkeypatch.setattr(Path, "write_text", half)
    status, said, complaints = run()
    assert {path: path.read_bytes() for path in book.glob("*") if path.is_file()} == files
    if error is KeyboardInterrupt:
        assert status == 130
        assert "interrupted" in complaints
    else:
        assert status == 1
        assert said.count("FAILED") == 3
        assert f"{Path('book/03-three.ipynb')}: No space left on device" in complaints


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (DeadKernelError("Kernel died"), "code cell 0: .*Kernel died"),
        (KeyError("No such kernel named python3"), "KeyError: .*No such kernel"),
        (FileNotFoundError(2, "No such file or directory"), "No such file"),
        (AssertionError(), "AssertionError"),
        (ImportError("ipykernel"), "ipykernel"),
    ],
)
def test_a_kernel_that_fails_is_a_notebook_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, complaint: str
) -> None:
    def fail(client: NotebookClient, **options: object) -> None:
        raise error

    monkeypatch.setattr(NotebookClient, "execute", fail)
    with pytest.raises(NotebookError, match=complaint):
        notebooks.execute(nbformat.v4.new_notebook(), tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="nbclient handles signals elsewhere")
def test_an_interrupt_ends_all(tmp_path: Path) -> None:
    code = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    folder = tmp_path / "book"
    (folder / "src").mkdir(parents=True)
    for name in ("01-one", "02-two"):
        (folder / "src" / f"{name}.md").write_text(
            TEXT.replace("print(6 * 7)", code), encoding="utf-8"
        )
    script = (
        "import sys, pathlib, notebooks; notebooks.BOOK = pathlib.Path.cwd(); "
        "notebooks.SOURCES = notebooks.BOOK / 'src'; sys.exit(notebooks.main())"
    )
    paths = os.pathsep.join([str(Path(notebooks.__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 130
    assert "01-one" in done.stderr
    assert "02-two" not in done.stdout + done.stderr
    assert [path.name for path in folder.iterdir()] == ["src"]


# The first cell


@pytest.mark.parametrize("kind", ["package", "module", "folder"])
def test_the_first_cell_refuses_another_rfm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = tmp_path / ("rfm.py" if kind == "module" else "rfm")
    if kind != "module":
        place.mkdir()
    if kind != "folder":
        (place if kind == "module" else place / "__init__.py").write_text(
            "class LaplaceRFM: ...", encoding="utf-8"
        )
    code = TransformerManager().transform_cell(notebooks.setup_cell().source)
    exec(code, {})  # ours
    monkeypatch.delitem(sys.modules, "rfm")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "meta_path", [PathFinder])  # an editable install has its own
    with pytest.raises(ImportError, match="breaking-symmetry") as caught:
        exec(code, {})
    assert str(place) in str(caught.value)


def test_on_colab_the_first_cell_fetches_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time it only goes where it is already."""
    had: set[str] = set()
    said: list[str] = []
    names: dict[str, Any] = {}

    class Shell:
        def run_line_magic(self, name: str, line: str, *rest: Any) -> None:
            said.append(f"%{name} {line.format(**names)}")
            if name == "pip":
                had.add("rfm")

        def system(self, line: str) -> None:
            said.append(f"!{line.format(**names)}")
            had.add(said[-1].split()[-1])

    monkeypatch.setitem(sys.modules, "google.colab", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name in had or None)
    monkeypatch.setattr(Path, "exists", lambda path: path.as_posix() in had)
    code = TransformerManager().transform_cell(notebooks.setup_cell().source)
    folder = notebooks.COLAB
    for times in range(2):
        said.clear()
        names |= {"get_ipython": Shell}
        exec(code, names)
        *fetched, last = said
        assert last == f"%cd -q {folder}/book"
        assert [line.split()[0] for line in fetched] == ["%pip", "!git"] * (not times)
        assert all("--quiet" in line and repository.address() in line for line in fetched)


# Details of one machine


@pytest.mark.parametrize(
    "text",
    [
        *(r"C:\Users\me", r"'C:\\Users\\me'", "C:/Users/me", r"c:\Users\me", r"\\?\C:\Users\me"),
        *(r"C:\Program Files\Python", r"D:\work\a.csv", r"'D:\\work\\a'", r"D:\a.csv", "D:/work/a"),
        *(
            r"\\server\share\a",
            r"saved to \\server\share",
            r"'\\\\server\\share'",
            r"\\wsl$\Ubuntu",
        ),
        *("/var/folders/zz/T/a", "/private/var/a", "/mnt/data/a", "/opt/conda/bin", "/home/me/a"),
        *("/usr/lib/python3.11/os.py", "/Users/me", "/Volumes/a/b", "/c/Users/me", "/nix/store/a"),
        *(
            "/root",
            "PosixPath('/root')",
            "/tmp/ipykernel_1/2.py",
            "cwd=/scratch/me",
            "here:/home/me",
        ),
        *("/dev/shm", "/dev/shm/a", "/workspace", "/workspaces/a", "/content/a", "'/content'"),
        *("file:///a", "file:///C:/a", "lib/site-packages/torch/a.py", r"Lib\site-packages\torch"),
        *("<td>/home/me</td>", "&#x27;/tmp/a&#x27;", "C:&#92;Users&#92;me", "File </opt/a/b.py>"),
        *("\x1b[32m/tmp/a\x1b[0m", "&lt;f at 0x7f00aa11bb22&gt;", "<f at 0x000001A2B3C4>"),
        *(str(notebooks.ROOT), str(notebooks.BOOK), sys.prefix),
    ],
)
def test_a_detail_of_one_machine_is_found(text: str) -> None:
    assert trace(text)
    assert trace(f"In words: {text} and so on.")


@pytest.mark.parametrize(
    "text",
    [
        *("2024/05/06", "1/2", "61/7/3", "and/or", "ℤ/29ℤ", "Z/7Z", "G/H/K", "f(x)/opt/3", "A:B/C"),
        *("https://x.org/home/me", "https://x.org:80/tmp/a", "http://localhost:8888/home/a"),
        *("https://x.org/~me/opt/a", "http://home/a", "https://x.org/#/home/a", "profile://a"),
        *("../tmp/a", "./opt/a", "data/home/a", "book/data/a.csv", "~/a", "/dev/null", "a / root"),
        *(
            "</content>",
            "</tmp>",
            "<br/>",
            "<td>1</td></tr>",
            "square root",
            "site-packages",
            "file:",
        ),
        *(r"\frac{1}{2}", r"'\\frac{1}{2}'", r"\\frac", r"'\\alpha\\beta'", r"f:\mathbb{Z}_n\to H"),
        *(
            r"\begin{matrix}1 & 2\\3 & 4\end{matrix}",
            r"\begin{matrix}1\\3\end{matrix}",
            "a \\\\\nb",
        ),
        *(
            r"\phi:\Omega\to G",
            r"$F:\Omega\to\Omega$",
            r"$\displaystyle a \\b\cdot c$",
            r"G:\Gamma",
        ),
        *(
            r"S:\{1\}",
            r"\{x:\alpha\}",
            r"A:\mathbb{R}^n\to\mathbb{R}",
            r"{math}`F:\Omega\to\Omega`",
        ),
        *("C:\\", "drive C:", "D:/", "C:\\ is a drive", "at 0x1F", "ratio 3:4/5", "x := 1"),
    ],
)
def test_what_every_machine_shows_is_none(text: str) -> None:
    assert not trace(text)
    assert not trace(f"In words: {text} and so on.")


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", text="/mnt/a"),
        new_output("display_data", data={"text/html": "<a href='/mnt/a'>a</a>"}),
        new_output("display_data", data={"image/svg+xml": "<text>/mnt/a</text>"}),
        new_output("display_data", data={"application/json": {"a": [{"b": "/mnt/a"}]}}),
        new_output("display_data", data={"application/json": {"/mnt/a": 1}}),
        new_output("display_data", data={"application/papermill.record/text/plain": "'/mnt/a'"}),
        new_output("display_data", metadata={"a": {"b": ["/mnt/a"]}}),
        new_output("error", ename="OSError", evalue="/mnt/a"),
        new_output("error", ename="OSError", evalue="", traceback=["File \x1b[32m/mnt/a\x1b[0m"]),
    ],
    ids=lambda output: output.output_type,
)
def test_a_detail_is_found_wherever_it_lies(output: NotebookNode) -> None:
    cell = nbformat.v4.new_code_cell("", outputs=[output], execution_count=1)
    problems = "\n".join(notebooks.output_problems(nbformat.v4.new_notebook(cells=[cell])))
    assert "shows a detail of one machine: /mnt/a" in problems


def test_pictures_are_not_read() -> None:
    data = {"image/png": "+/tmp/a", "application/papermill.record/image/png": "+/tmp/a"}
    assert list(traces(new_output("display_data", data=data))) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [("gpu-node-7", True), ("DESKTOP-AB12", True), ("localhost", False), ("laplace", False)],
)
def test_the_name_of_the_machine_is_found_if_no_word(name: str, found: bool) -> None:
    code = (
        f"import socket; socket.gethostname = lambda: {name!r}; import traces; "
        f"print(bool(traces.trace('ran on {name.lower()}.')))"
    )
    assert socket.gethostname()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(notebooks.__file__).parent,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(done.stdout.lower()) is found
