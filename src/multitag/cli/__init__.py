"""The command line: parse, call one public function, print. One small file a command."""
