// Package journal keeps what must survive: one JetStream stream of records for
// each pool, its snapshots and its audit trail. The NATS server runs inside the
// process by default; the same code speaks to an external cluster.
package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MaxRecordBytes is the largest record that is taken. Owners aim at less than
// half a MiB; one step of a crowded pool may need more.
const MaxRecordBytes = 8 << 20

// How long the parts of the journal may take.
const (
	startTimeout  = 20 * time.Second
	appendTimeout = 5 * time.Second
	auditAge      = 30 * 24 * time.Hour
	auditBytes    = 1 << 30
)

// ErrConflict says that another owner has written: the state in memory is void.
var ErrConflict = errors.New("the journal has moved on: another owner has written")

// Options of a journal. Dir is for the embedded server, URL for a cluster.
type Options struct {
	Dir         string
	URL         string
	Credentials string // file; empty for none
	Replicas    int    // of the streams on a cluster; 0 means 1
	Log         *slog.Logger
}

// Journal is a connection to the place where pools are kept.
type Journal struct {
	o    Options
	lock *os.File

	mu    sync.Mutex // guards the rest: the embedded server may be started again
	link  link
	pools []*Pool
}

// link is a connection, with the server at its other end if that is embedded.
type link struct {
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
}

// Open starts the embedded server on the folder, or connects to the cluster.
// The folder is locked: a second process is refused, naming it.
func Open(ctx context.Context, o Options) (*Journal, error) {
	j := &Journal{o: o}
	if o.Replicas < 1 {
		j.o.Replicas = 1
	}
	err := j.open(ctx)
	if err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

func (j *Journal) open(ctx context.Context) error {
	if j.o.URL == "" {
		if err := os.MkdirAll(j.o.Dir, 0o700); err != nil {
			return fmt.Errorf("the data folder: %w", err)
		}
		lock, err := lockFolder(j.o.Dir)
		if err != nil {
			return err
		}
		j.lock = lock
	}
	return j.connect(ctx)
}

// connect makes the link.
func (j *Journal) connect(ctx context.Context) error {
	options := []nats.Option{nats.Name("rendergate"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond)}
	if j.o.URL == "" {
		if err := j.embed(); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(j.link.server))
	} else if j.o.Credentials != "" {
		options = append(options, nats.UserCredentials(j.o.Credentials))
	}
	var err error
	if j.link.conn, err = nats.Connect(j.o.URL, options...); err != nil {
		return fmt.Errorf("connecting to NATS: %w", err)
	}
	if j.link.js, err = jetstream.New(j.link.conn, jetstream.WithDefaultTimeout(appendTimeout)); err != nil {
		return fmt.Errorf("opening JetStream: %w", err)
	}
	if _, err = j.link.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("asking JetStream: %w", err)
	}
	return nil
}

// embed starts a NATS server inside this process that listens nowhere and
// syncs every write to disk before it acknowledges it.
func (j *Journal) embed() error {
	s, err := server.NewServer(&server.Options{
		ServerName: "rendergate", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(j.o.Dir, "journal"), SyncAlways: true, MaxPayload: MaxRecordBytes,
	})
	if err != nil {
		return fmt.Errorf("the embedded NATS server: %w", err)
	}
	j.link.server = s
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		return fmt.Errorf("the embedded NATS server did not start in %v; is %s readable and the disk healthy?", startTimeout, j.o.Dir)
	}
	return nil
}

// Close disconnects, stops the embedded server and gives the folder back.
func (j *Journal) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.link.close()
	if j.lock != nil {
		_ = j.lock.Close()
	}
}

func (l link) close() {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// mend starts the embedded server again: one that could not write, because the
// disk was full for instance, does not write any more even when it could. seen
// is the link that failed; if it is another by now, somebody has mended it.
func (j *Journal) mend(ctx context.Context, seen *nats.Conn) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.o.URL != "" || j.link.conn != seen {
		return nil
	}
	j.o.Log.Warn("the journal does not take records; starting its server again")
	j.link.close()
	j.link = link{}
	if err := j.connect(ctx); err != nil {
		return fmt.Errorf("starting the journal again: %w", err)
	}
	for _, p := range j.pools {
		if err := p.open(ctx, j.link); err != nil {
			return err
		}
	}
	return nil
}

// Ready says why the journal cannot be written now, or nil.
func (j *Journal) Ready() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.link.conn == nil || !j.link.conn.IsConnected() {
		return errors.New("not connected to NATS")
	}
	return nil
}

const identityKey = "rendergate.identity"

// Pool opens the streams of a pool, making them if they are not there.
func (j *Journal) Pool(ctx context.Context, name string) (*Pool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := &Pool{j: j, name: name, subject: "rendergate.journal." + name, auditSubject: "rendergate.audit." + name}
	if err := p.open(ctx, j.link); err != nil {
		return nil, err
	}
	j.pools = append(j.pools, p)
	return p, nil
}

// open opens the streams over a link.
func (p *Pool) open(ctx context.Context, l link) error {
	suffix, replicas := strings.ToUpper(p.name), p.j.o.Replicas
	s := streams{link: l}
	var err error
	s.records, err = s.stream(ctx, jetstream.StreamConfig{
		Name: "RG_JOURNAL_" + suffix, Subjects: []string{p.subject}, Storage: jetstream.FileStorage,
		Replicas: replicas, AllowDirect: true, MaxMsgSize: MaxRecordBytes, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		return fmt.Errorf("the journal of pool %s: %w", p.name, err)
	}
	s.audit, err = s.stream(ctx, jetstream.StreamConfig{
		Name: "RG_AUDIT_" + suffix, Subjects: []string{p.auditSubject}, Storage: jetstream.FileStorage,
		Replicas: replicas, AllowDirect: true, MaxAge: auditAge, MaxBytes: auditBytes,
	})
	if err != nil {
		return fmt.Errorf("the audit trail of pool %s: %w", p.name, err)
	}
	s.snapshots, err = l.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: "RG_SNAPSHOT_" + suffix, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		return fmt.Errorf("the snapshots of pool %s: %w", p.name, err)
	}
	s.identity = s.records.CachedInfo().Config.Metadata[identityKey]
	p.streams.Store(&s)
	return nil
}

// stream opens a stream, or makes it with a random identity of its own: a
// journal that was emptied or replaced is another one.
func (l link) stream(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := l.js.Stream(ctx, c.Name)
	if err == nil {
		return s, nil
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	c.Metadata = map[string]string{identityKey: rand.Text()}
	return l.js.CreateStream(ctx, c)
}
