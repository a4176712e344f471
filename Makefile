.PHONY: setup demo test lint napari bench docs screenshots

BIN := .venv/bin
# A virtual screen, so that real napari runs where there is none.
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX +render -noreset"
# Tests with one of the Qt bindings: what a person does is done with both.
on = QT_API=$(1) PYTEST_QT_API=$(1) QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=PASSIVE $(SCREEN)

setup:
	@./scripts/setup

demo: setup
	$(BIN)/blurgan demo --out blurgan-demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(call on,pyqt6) $(BIN)/pytest
	$(call on,pyside6) $(BIN)/pytest -m person tests/widgets

napari: setup
	$(BIN)/napari

bench: setup
	$(BIN)/python benchmarks/train_step.py

docs: setup
	$(BIN)/python scripts/make_docs.py

screenshots: setup
	HOME=$$(mktemp -d) $(SCREEN) $(BIN)/python scripts/screenshots.py
