package admission

import "time"

// The constants of the rule. Those that an operator may set are in [Policy].
const (
	// ceilingSpreads is how many standard deviations above the mean a hard
	// resource is reserved.
	ceilingSpreads = 2.0
	// defaultSettleS is how long a session takes to show its full load, in
	// seconds, where the profile does not say.
	defaultSettleS = 60.0
	// stalePeriods is how many periods old a sample may be.
	stalePeriods = 5
	// reopenStep is how far below the threshold a closed resource reopens, at
	// most; reopenHold is how long it must stay there.
	reopenStep = 0.01
	reopenHold = 3 * time.Second
	// Past brownoutAt for brownoutHold, a host gets no offers until it is
	// below brownoutEnd.
	brownoutAt   = 0.95
	brownoutEnd  = 0.90
	brownoutHold = 10 * time.Second

	// A start is given up after startFactor times what the profile says, and
	// not before startLeast.
	startLeast  = 60 * time.Second
	startFactor = 3
	// A host on which faultsAllowed starts of an app have failed in a row gets
	// nobody for it for faultRest, and for twice as long after each further one.
	faultsAllowed = 3
	faultRest     = 10 * time.Second
	faultRestMost = 5 * time.Minute
	// A session whose process dies is started again maxCrashes times within
	// crashWindow.
	maxCrashes  = 3
	crashWindow = 10 * time.Minute
	// endWarning is how long before its end a session's player is told.
	endWarning = 60 * time.Second
	// rotateMost bounds how many disconnected entries a lapsed one is put
	// behind, to come after the next who is there.
	rotateMost = 32
	// viewsPerStep bounds the views that one step changes.
	viewsPerStep = 64

	// learnEvery is how often learned costs are journalled at most, and
	// learnChange the least relative change that is worth it.
	learnEvery  = time.Minute
	learnChange = 0.02
	// lengthsKept is how many session lengths the forecast remembers, and
	// lengthsNeeded how many it needs.
	lengthsKept   = 1000
	lengthsNeeded = 10
	// The curve of lengths has about knotsMost intervals, with at least
	// endsPerKnot ends in each.
	knotsMost   = 20
	endsPerKnot = 5
	// secondsMost bounds all durations of the forecast, some 30 years.
	secondsMost = 1e9
	// meanMemory is how many values a mean of the forecast remembers, and
	// exitMemory how many entries the rate of giving up does.
	meanMemory = 100
	exitMemory = 500
	// waitedLeast is added to the seconds waited, so that one who gives up at
	// once is not all that is known of giving up.
	waitedLeast = 60
	// elapseMost is the longest time without an event that counts as waiting:
	// while the service is down, nobody can give up.
	elapseMost = 600
	// A scored quote moves its quantile by shiftStep standard deviations, the
	// first ones by more, and in all by shiftMost at most.
	shiftStep     = 0.005
	shiftFirst    = 0.05
	shiftMost     = 1.5
	scoresCounted = 1000
	// A forecast is made anew after tableLasts. When a seat has moved it is made
	// anew at once, where there are tableEach at most, and after tablePerSeat for
	// each further one.
	tableLasts   = time.Second
	tableEach    = 16
	tablePerSeat = 10 * time.Millisecond
	// The curve of lengths is made anew curveLasts after an end, at once below
	// endsFew ends, and after curveRests without one. Of the sessions that run,
	// about spansRunning are looked at.
	curveLasts   = 5 * time.Second
	curveRests   = 20 * time.Second
	endsFew      = 100
	spansRunning = 1000
	// seatsApart is how many seats are looked at one by one.
	seatsApart = 64
	// What is shown rises by risePerMinute of it at most, and by riseLeast
	// seconds, unless the forecast is more than wrongTimes as long, and wrongLeast
	// seconds.
	risePerMinute = 0.15
	riseLeast     = 0.05
	wrongTimes    = 2
	wrongLeast    = 5
)
