package admission

import "time"

// The constants of the rule. Those that an operator may set are in [Policy].
const (
	// margins is how many standard deviations of uncertainty are kept free.
	margins = 1.0
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
	reopenStep = 0.03
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
	lengthsKept   = 200
	lengthsNeeded = 10
)
