"""What is configured, and for whom."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import dsp
from dsp.settings import setting
from dsp.testing import ScriptedLM


class Text(BaseModel):
    text: str = ""


def answers(text: str) -> ScriptedLM:
    return ScriptedLM([f"[[ ## text ## ]]\n{text}"] * 9)


PROGRAM = dsp.Predict[Text, Text]()


class TestPrecedence:
    def test_argument_then_context_then_configured_then_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DSP_MODEL", "embedded")
        assert PROGRAM.run(Text(text="hello")).calls[0].model == "embedded"
        dsp.configure(lm=answers("configured"))
        assert PROGRAM(Text()).text == "configured"
        with dsp.context(lm=answers("context")):
            assert PROGRAM(Text()).text == "context"
            assert PROGRAM.with_(lm=answers("argument"))(Text()).text == "argument"
        assert PROGRAM(Text()).text == "configured"

    def test_none_takes_a_setting_back(self) -> None:
        dsp.configure(lm=answers("configured"))
        with dsp.context(lm=answers("context")):
            with dsp.context(lm=None):
                assert PROGRAM(Text()).text == "configured"
            assert PROGRAM(Text()).text == "context"
        dsp.configure(lm=None)
        with pytest.raises(dsp.NotConfigured):
            PROGRAM(Text())

    def test_reset_forgets(self) -> None:
        dsp.configure(lm=answers("configured"))
        dsp.reset()
        with pytest.raises(dsp.NotConfigured):
            PROGRAM(Text())

    def test_the_adapter(self) -> None:
        lm = ScriptedLM(['{"text": "json"}'] * 2)
        with dsp.context(adapter=dsp.JSONAdapter()):
            assert PROGRAM.with_(lm=lm).run(Text()).parse.adapter == "json"  # type: ignore[union-attr]

    def test_collectors_get_every_call_and_a_failing_one_harms_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        seen: list[dsp.HistoryEntry] = []

        def fails(entry: dsp.HistoryEntry) -> None:
            raise OSError("disk full")

        dsp.configure(collectors=[fails, seen.append])
        assert PROGRAM.with_(lm=answers("a"))(Text()).text == "a"
        assert [entry.program for entry in seen] == ["Predict[Text, Text]"]
        assert "collector" in caplog.text

    def test_one_model_by_name_is_one_model(self) -> None:
        from dsp.lm import current_lm

        assert current_lm("embedded") is current_lm("embedded")


class TestContexts:
    def test_it_follows_into_tasks_and_into_threads_of_dsp(self) -> None:
        @dsp.program
        def plain(inputs: Text) -> Text:
            return PROGRAM(inputs)

        async def main() -> list[str]:
            return [out.text for out in await asyncio.gather(PROGRAM.acall(Text()), plain.acall(Text()))]

        with dsp.context(lm=answers("context")):
            assert asyncio.run(main()) == ["context", "context"]

    def test_it_follows_into_ones_own_threads_with_copy_context(self) -> None:
        out: list[str] = []
        with dsp.context(lm=answers("context")):
            threads = [
                threading.Thread(target=dsp.copy_context(lambda: out.append(PROGRAM(Text()).text))) for _ in range(3)
            ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert out == ["context"] * 3

    def test_one_bound_function_may_run_many_times_at_once(self) -> None:
        with dsp.context(lm=answers("context")):
            bound = dsp.copy_context(lambda: (barrier.wait(5), out.append(PROGRAM(Text()).text)))
        barrier, out = threading.Barrier(3), list[str]()
        threads = [threading.Thread(target=bound) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert out == ["context"] * 3

    def test_two_tasks_do_not_see_each_others(self) -> None:
        async def one(name: str) -> str:
            with dsp.context(lm=answers(name)):
                await asyncio.sleep(0.001)
                return (await PROGRAM.acall(Text())).text

        async def main() -> list[str]:
            return list(await asyncio.gather(one("a"), one("b")))

        assert asyncio.run(main()) == ["a", "b"]

    def test_configure_works_from_any_thread(self) -> None:
        thread = threading.Thread(target=lambda: dsp.configure(lm=answers("thread")))
        thread.start()
        thread.join()
        assert PROGRAM(Text()).text == "thread"


class TestMistakes:
    @pytest.mark.parametrize("change", [dsp.configure, dsp.context])
    @pytest.mark.parametrize(
        ("wrong", "hint"),
        [
            ({"adaptor": None}, "Did you mean `adapter`"),
            ({"frobnicate": 1}, "There are lm, adapter"),
            ({"lm": 5}, "openai/gpt-4o-mini"),
            ({"lm": ""}, "openai/gpt-4o-mini"),
            ({"adapter": "chat"}, r"ChatAdapter\(\)"),
            ({"cache": "disk"}, "MemoryCache"),
            ({"collectors": print}, "list of functions"),
            ({"lm": dsp.LM}, r"Did you mean `LM\(\.\.\.\)`"),
            ({"adapter": dsp.JSONAdapter}, r"Did you mean `JSONAdapter\(\.\.\.\)`"),
            ({"cache": dsp.MemoryCache}, r"Did you mean `MemoryCache\(\.\.\.\)`"),
        ],
    )
    def test_a_wrong_setting_says_what_to_write(self, change: Any, wrong: dict[str, Any], hint: str) -> None:
        with pytest.raises(dsp.SettingsError, match=hint):
            change(**wrong).__enter__()
        assert setting(next(iter(wrong))) is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DSP_TIMEOUT", "soon"),
            ("DSP_TIMEOUT", "0"),
            ("DSP_TIMEOUT", "inf"),
            ("DSP_HISTORY_SIZE", "-1"),
            ("DSP_HISTORY_SIZE", "many"),
            ("DSP_CACHE", "floppy"),
        ],
    )
    def test_an_impossible_variable_is_named(self, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, value)
        dsp.reset()
        with pytest.raises(dsp.SettingsError, match=f"{name}='{value}'"):
            dsp.LM("embedded")("hello there")

    def test_a_level_that_there_is_not_is_warned_of_and_the_import_goes_on(self) -> None:
        code = "import dsp; print('imported')"
        done = subprocess.run(
            [sys.executable, "-c", code], env={"DSP_LOG": "loud"}, capture_output=True, text=True, check=True
        )
        assert ("DSP_LOG='loud' is not a level" in done.stderr, done.stdout) == (True, "imported\n")


class TestTheEnvironment:
    def test_history_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DSP_HISTORY_SIZE", "2")
        dsp.reset()
        lm = ScriptedLM(["a", "b", "c"])
        for question in "123":
            lm(question)
        assert [entry.request.messages[0].text for entry in dsp.history()] == ["2", "3"]
        assert [entry.request.messages[0].text for entry in dsp.history(1)] == ["3"]
        assert dsp.history(0) == []

    def test_the_cache_can_be_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DSP_CACHE", "off")
        dsp.reset()
        lm = ScriptedLM(["a", "b"], cache=True)
        assert (lm("?"), lm("?")) == ("a", "b")

    def test_the_cache_is_memory_unless_it_is_set(self) -> None:
        lm = ScriptedLM(["a", "b"], cache=True)
        assert (lm("?"), lm("?")) == ("a", "a")

    def test_nothing_is_logged_unless_asked(self) -> None:
        code = "import dsp, logging; logging.getLogger('dsp').warning('said')"
        for level, said in ((None, False), ("warning", True)):
            env = {} if level is None else {"DSP_LOG": level}
            done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
            assert ("said" in done.stderr, done.stdout) == (said, "")

    def test_a_file_is_read_only_when_asked_and_never_overrides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import os

        (tmp_path / ".env").write_text("export DSP_TEST_A='from file'\nDSP_TEST_B=${HOME}x # comment\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DSP_TEST_A", "set before")
        monkeypatch.setenv("DSP_TEST_B", "")
        monkeypatch.delenv("DSP_TEST_B")
        dsp.load_env()
        assert (os.environ["DSP_TEST_A"], os.environ["DSP_TEST_B"]) == ("set before", "${HOME}x")
        with pytest.raises(dsp.SettingsError, match="absent"):
            dsp.load_env(tmp_path / "absent")


class TestAFileReadAfterTheFirstCall:
    @pytest.fixture
    def load(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def load(line: str) -> None:
            name = line.partition("=")[0]
            monkeypatch.setenv(name, "")  # so that it is taken back after the test
            monkeypatch.delenv(name)
            (tmp_path / ".env").write_text(line)
            dsp.load_env(tmp_path / ".env")

        return load

    def test_it_turns_the_cache_off(self, load: Callable[[str], None]) -> None:
        lm = ScriptedLM(["a", "b"], cache=True)
        assert (lm("?"), lm("?")) == ("a", "a")
        load("DSP_CACHE=off")
        assert lm("?") == "b"

    def test_it_moves_the_cache_to_disk(self, load: Callable[[str], None], tmp_path: Path) -> None:
        lm = ScriptedLM(["a", "b"], cache=True)
        lm("?")
        load(f"DSP_CACHE_DIR={tmp_path / 'replies'}")
        load("DSP_CACHE=disk")
        assert (lm("?"), lm("?")) == ("b", "b")
        assert (tmp_path / "replies").exists()

    def test_it_gives_a_name_another_address(self, load: Callable[[str], None]) -> None:
        from dsp.lm import current_lm

        assert "api.openai.com" in repr(current_lm("openai/gpt-4o-mini").backend)
        load("OPENAI_BASE_URL=http://localhost:8000/v1")
        assert "localhost:8000" in repr(current_lm("openai/gpt-4o-mini").backend)

    @pytest.mark.parametrize(("size", "kept"), [("2", ["2", "3"]), ("200", ["1", "2", "3"]), ("0", [])])
    def test_it_resizes_the_history_and_keeps_the_last_calls(
        self, load: Callable[[str], None], size: str, kept: list[str]
    ) -> None:
        lm = ScriptedLM(["a", "b", "c"])
        for question in "123":
            lm(question)
        load(f"DSP_HISTORY_SIZE={size}")
        assert [entry.request.messages[0].text for entry in dsp.history()] == kept

    def test_what_it_does_not_name_stays(self, load: Callable[[str], None]) -> None:
        lm = ScriptedLM(["a", "b"], cache=True)
        dsp.configure(lm=answers("configured"))
        lm("?")
        load("DSP_TEST_C=1")
        assert (lm("?"), len(dsp.history())) == ("a", 2)
        assert PROGRAM(Text()).text == "configured"

    def test_an_impossible_value_is_named_there(self, load: Callable[[str], None]) -> None:
        ScriptedLM(["a"])("?")
        with pytest.raises(dsp.SettingsError, match="DSP_HISTORY_SIZE='many'"):
            load("DSP_HISTORY_SIZE=many")

    def test_a_level_that_there_is_not_is_warned_of(self, load: Callable[[str], None]) -> None:
        with pytest.warns(UserWarning, match="DSP_LOG='loud'"):
            load("DSP_LOG=loud")


def test_the_logger_has_a_null_handler_and_prints_nothing() -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("dsp").handlers)
