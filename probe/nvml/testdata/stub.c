// A driver's library as a script tells: each call looks a number up in the file
// that NVML_STUB names, lines of "name value". "d0.util 40" is a value of the
// first GPU, "d0.util.code 3" makes that call fail, "hang 1" and "crash 1" do
// what they say at the next reading of a utilisation. Processes add to a value by
// lines in a file of their number, in the folder NVML_STUB.d, while they live.
// OLD leaves out what an older driver lacks.
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { unsigned int gpu, memory; } utilization;
typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu, compute; } process;
typedef struct { unsigned int pid; unsigned long long at; unsigned int sm, memory, encoder, decoder; } sample;

static double look(const char *path, const char *name, double otherwise) {
	char key[128];
	double value, found = otherwise;
	FILE *f = fopen(path, "r");
	if (!f) return otherwise;
	while (fscanf(f, "%127s %lf", key, &value) == 2)
		if (!strcmp(key, name)) found = value;
	fclose(f);
	return found;
}

static double get(const char *name, double otherwise) {
	char folder[1024], path[2048];
	double sum = look(getenv("NVML_STUB"), name, otherwise);
	snprintf(folder, sizeof folder, "%s.d", getenv("NVML_STUB"));
	DIR *d = opendir(folder);
	if (!d) return sum;
	for (struct dirent *e; (e = readdir(d));) {
		if (atoi(e->d_name) <= 0 || kill(atoi(e->d_name), 0)) continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		sum += look(path, name, 0);
	}
	closedir(d);
	return sum;
}

static double of(void *device, const char *name, double otherwise) {
	char key[128];
	snprintf(key, sizeof key, "d%ld.%s", (long)device - 1, name);
	return get(key, otherwise);
}

static unsigned int percent(double value) { return value > 100 ? 100 : (unsigned int)value; }

static int code(void *device, const char *name) {
	char key[128];
	if (of(device, "lost", 0)) return 15;
	snprintf(key, sizeof key, "%s.code", name);
	return (int)of(device, key, 0);
}

int nvmlInit_v2(void) { return (int)get("init", 0); }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int result) { (void)result; return "scripted"; }
int nvmlSystemGetDriverVersion(char *version, unsigned int length) { snprintf(version, length, "999.1"); return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = (unsigned int)get("gpus", 1); return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
	*device = (void *)(long)(index + 1 + (long)get("first", 0));
	return code(*device, "handle");
}

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length) {
	snprintf(uuid, length, "GPU-%ld", (long)device - 1);
	return code(device, "uuid");
}

int nvmlDeviceGetName(void *device, char *name, unsigned int length) {
	snprintf(name, length, "Scripted %ld", (long)device - 1);
	return code(device, "name");
}

int nvmlDeviceGetUtilizationRates(void *device, utilization *u) {
	if (get("crash", 0)) abort();
	if (get("hang", 0)) sleep(1000);
	u->gpu = percent(of(device, "util", 0));
	u->memory = 1;
	return code(device, "util");
}

int nvmlDeviceGetMemoryInfo(void *device, memory *m) {
	m->total = (unsigned long long)of(device, "total", 16e9);
	m->used = (unsigned long long)of(device, "used", 1e9);
	m->free = m->total - m->used;
	return code(device, "memory");
}

#ifndef OLD
int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons) {
	*reasons = (unsigned long long)of(device, "throttle", 0);
	return code(device, "throttle");
}
#endif

int nvmlDeviceGetMigMode(void *device, unsigned int *now, unsigned int *later) {
	*now = *later = (unsigned int)of(device, "mig", 0);
	return code(device, "migmode");
}

#ifndef OLD
int nvmlDeviceGetEncoderUtilization(void *device, unsigned int *value, unsigned int *period) {
	*value = percent(of(device, "encoder", 0));
	*period = 167000;
	return code(device, "encoder");
}

int nvmlDeviceGetEncoderStats(void *device, unsigned int *sessions, unsigned int *fps, unsigned int *latency) {
	*sessions = (unsigned int)of(device, "sessions", 0);
	*fps = *latency = 1;
	return code(device, "stats");
}

int nvmlDeviceGetProcessUtilization(void *device, sample *samples, unsigned int *count, unsigned long long since) {
	int n = of(device, "process", 0) ? 2 : 0, c = code(device, "processes");
	(void)since;
	if (c) return c;
	if (!n) return 6;
	if (!samples || *count < 2) { *count = 2; return 7; }
	for (int i = 0; i < n; i++) {
		samples[i].pid = (unsigned int)of(device, "process", 0);
		samples[i].at = 1000 + i;
		samples[i].sm = (unsigned int)of(device, "process.util", 0) + 10 * i;
		samples[i].encoder = (unsigned int)of(device, "process.encoder", 0);
		samples[i].memory = samples[i].decoder = 0;
	}
	*count = n;
	return 0;
}
#endif

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process *list) {
	(void)device; (void)list;
	*count = 0;
	return 0;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count, process *list) {
	int n = of(device, "process", 0) ? 2 : 0, c = code(device, "running");
	if (c) return c;
	if (*count < (unsigned int)n) { *count = n; return 7; }
	for (int i = 0; i < n; i++) {
		memset(&list[i], 0, sizeof list[i]);
		list[i].pid = (unsigned int)of(device, "process", 0) + i;
		list[i].used = i ? ~0ULL : (unsigned long long)of(device, "process.used", 0);
	}
	*count = n;
	return 0;
}
