.PHONY: setup demo test lint napari bench docs screenshots

BIN := .venv/bin
# A virtual screen, so that real napari runs where there is none.
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX +render -noreset"

setup:
	@./scripts/setup

demo: setup
	$(BIN)/blurgan demo --out blurgan-demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=PASSIVE $(SCREEN) $(BIN)/pytest

napari: setup
	$(BIN)/napari

bench: setup
	$(BIN)/python benchmarks/train_step.py

docs: setup
	$(BIN)/python scripts/make_docs.py

screenshots: setup
	HOME=$$(mktemp -d) $(SCREEN) $(BIN)/python scripts/screenshots.py
