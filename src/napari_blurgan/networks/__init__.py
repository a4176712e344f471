"""Plain network modules: generators and discriminators, no losses."""
