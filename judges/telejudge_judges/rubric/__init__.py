"""The rubric judge: statements about a candidate, found for a task, answered one by one."""
