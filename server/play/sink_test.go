package play_test

func childSink() error { return nil }
