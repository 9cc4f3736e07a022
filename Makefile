.DEFAULT_GOAL := help

.PHONY: dev
dev: ## Build the extension into the active environment
	maturin develop --release
