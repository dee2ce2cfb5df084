"""tau2-bench's Telecom domain behind the World protocol: tau2's own tools, tasks and checks."""
