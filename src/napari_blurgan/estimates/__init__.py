"""Richardson-Lucy estimates that G refines, and how an estimate is judged."""
