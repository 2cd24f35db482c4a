"""docs/performance.md says what benchmarks/results/ say, and nothing else."""

from benchmarks.page import PAGE, RESULTS, page


def test_the_page_is_what_the_results_make_it() -> None:
    assert PAGE.read_text() == page(RESULTS), "run: python -m benchmarks.page"


def test_every_benchmark_has_its_section() -> None:
    assert {path.name for path in RESULTS.glob("*.json")} >= {"edge.json", "compare.json", "codec.json"}
    assert PAGE.read_text().count("\n## ") == 3
