"""The benchmark suite: `python -m bench`, or `make bench`. What is measured and why: docs/benchmarks.md."""
