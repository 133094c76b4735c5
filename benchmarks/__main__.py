"""`python -m benchmarks [--only NAME] [--quick] [--resolve]`: dsp beside its peers, in one run, as ratios."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import environment, page
from benchmarks.measure import Measured, measure
from benchmarks.rows import ROWS


def main() -> int:
    """Measure; 1 where a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="only the rows whose name begins so; repeatable"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and calls: for an impression")
    parser.add_argument("--resolve", action="store_true", help="find the newest peers and pin them; measure nothing")
    asked = parser.parse_args()
    if asked.resolve:
        environment.resolve()
        return 0
    rows = [row for row in ROWS if asked.only is None or row.name.startswith(tuple(asked.only))]
    if not rows:
        parser.error(f"no row begins with {asked.only}; there are {', '.join(row.name for row in ROWS)}")
    environment.prepare()
    results: list[Measured] = []
    with TemporaryDirectory() as scratch, local_server() as url:
        variables = {**environment.clean_environment(scratch), "BENCH_URL": url, "BENCH_QUICK": str(int(asked.quick))}
        for row in rows:
            result = measure(row, variables, quick=asked.quick)
            results.append(result)
            for line in page.lines(result):
                print(f"{row.name}: {line}", flush=True)
    if asked.only is None and not asked.quick:
        page.write(results, environment.versions(), datetime.now(UTC).date().isoformat())
        print(f"written to {page.PAGE.relative_to(Path.cwd()) if page.PAGE.is_relative_to(Path.cwd()) else page.PAGE}")
    for result in results:
        for verdict in result.verdicts:
            if not verdict.kept:
                against = f" of {verdict.limit.against}" if verdict.limit.against else f" {result.row.unit}"
                print(f"missed: {result.row.name}: {verdict.value:.3g}{against}, at most {verdict.limit.at_most:.3g}")
        if result.wrong:
            print(f"wrong: {result.row.name}: {result.wrong}")
    return 0 if all(result.kept for result in results) else 1


@contextmanager
def local_server() -> Iterator[str]:
    """The server in its own process; it ends when its stdin does, whatever becomes of this process."""
    script = Path(__file__).parent / "server.py"
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
