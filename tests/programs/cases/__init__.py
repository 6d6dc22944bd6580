"""One real program a file: `run(stage)` does with it what people do, and names what must be as without the library."""
