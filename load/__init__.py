"""Load: benchmarks and swarms of viewers."""
