// franz-go: one request a line in, one answer a line out (see ../README.md).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errNotOffered = errors.New("not offered")

type record struct {
	Partition *int32       `json:"partition,omitempty"`
	Offset    int64        `json:"offset"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Headers   [][2]*string `json:"headers"`
	Timestamp *int64       `json:"timestamp,omitempty"`
}

type request struct {
	Do, Topic, Name, Group, Strategy, Instance string
	Records                                    []record
	Options                                    struct {
		Codec      string
		Acks       *int
		Idempotent bool
		MaxRequest int32 `json:"max_request"`
	}
	Partition, Total, Count int32
	Start, At               json.RawMessage
	AutoCommit              bool `json:"auto_commit"`
	Seconds                 float64
	Offsets                 map[string]json.RawMessage
	Configs                 map[string]string
	Partitions              json.RawMessage
	Before                  int64
}

type reader struct {
	client   *kgo.Client
	group    string
	mutex    sync.Mutex
	assigned map[int32]bool
	read     []*kgo.Record // and not yet committed
	ahead    []*kgo.Record // and not yet asked for
	commits  bool
}

type adapter struct {
	server    string
	producers map[string]*kgo.Client
	readers   map[string]*reader
	admin     *kadm.Client
}

func main() {
	a := &adapter{server: os.Args[1], producers: map[string]*kgo.Client{}, readers: map[string]*reader{}}
	client, err := kgo.NewClient(kgo.SeedBrokers(a.server))
	if err != nil {
		panic(err)
	}
	a.admin = kadm.NewClient(client)
	in := bufio.NewReaderSize(os.Stdin, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		answer := map[string]any{}
		if err = json.Unmarshal(line, &asked); err == nil {
			answer["ok"], err = a.act(&asked)
		}
		switch {
		case errors.Is(err, errNotOffered):
			answer = map[string]any{"not_offered": ""}
		case err != nil:
			answer = map[string]any{"error": err.Error()}
		}
		out.Encode(answer)
	}
}

func within(seconds float64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
}

func (a *adapter) act(asked *request) (any, error) {
	ctx, cancel := within(25)
	defer cancel()
	switch asked.Do {
	case "version":
		return version(), nil
	case "produce":
		return a.produce(ctx, asked)
	case "open":
		return nil, a.open(ctx, asked)
	case "join":
		return nil, a.join(asked)
	case "read":
		return a.read(asked)
	case "assignment":
		return a.readers[asked.Name].partitions(), nil
	case "commit":
		return nil, a.commit(ctx, asked)
	case "committed":
		return a.committed(ctx, asked)
	case "close":
		return nil, a.close(ctx, asked)
	case "offset", "admin_offset":
		return a.offset(ctx, asked)
	case "groups":
		listed, err := a.admin.ListGroups(ctx)
		return listed.Groups(), err
	case "group":
		return a.group(ctx, asked)
	case "delete_group":
		_, err := a.admin.DeleteGroup(ctx, asked.Group)
		return nil, err
	case "group_offsets":
		return a.groupOffsets(ctx, asked)
	case "alter_group_offsets":
		return nil, a.alterGroupOffsets(ctx, asked)
	case "delete_group_offsets":
		return nil, a.deleteGroupOffsets(ctx, asked)
	}
	return a.administer(ctx, asked)
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, each := range info.Deps {
		if each.Path == "github.com/twmb/franz-go" {
			return each.Version
		}
	}
	return "unknown"
}

// --- producing and consuming

func (a *adapter) producer(asked *request) (*kgo.Client, error) {
	name, _ := json.Marshal(asked.Options)
	if made := a.producers[string(name)]; made != nil {
		return made, nil
	}
	options := asked.Options
	codec := map[string]kgo.CompressionCodec{"": kgo.NoCompression(), "none": kgo.NoCompression(),
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression()}[options.Codec]
	more := []kgo.Opt{kgo.SeedBrokers(a.server), kgo.ProducerBatchCompression(codec), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(20 * time.Millisecond),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.UnknownTopicRetries(10)}
	if options.MaxRequest != 0 {
		more = append(more, kgo.ProducerBatchMaxBytes(options.MaxRequest))
	}
	if options.Acks != nil {
		acks := map[int]kgo.Acks{-1: kgo.AllISRAcks(), 0: kgo.NoAck(), 1: kgo.LeaderAck()}[*options.Acks]
		more = append(more, kgo.RequiredAcks(acks))
	}
	if !options.Idempotent {
		more = append(more, kgo.DisableIdempotentWrite())
	}
	made, err := kgo.NewClient(more...)
	a.producers[string(name)] = made
	return made, err
}

func bytes(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

func text(bytes []byte) *string {
	if bytes == nil {
		return nil
	}
	made := string(bytes)
	return &made
}

func (a *adapter) produce(ctx context.Context, asked *request) (any, error) {
	client, err := a.producer(asked)
	if err != nil {
		return nil, err
	}
	var given, chosen []*kgo.Record
	for _, each := range asked.Records {
		made := &kgo.Record{Topic: asked.Topic, Key: bytes(each.Key), Value: bytes(each.Value)}
		for _, header := range each.Headers {
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: *header[0], Value: bytes(header[1])})
		}
		if each.Timestamp != nil {
			made.Timestamp = time.UnixMilli(*each.Timestamp)
		}
		if each.Partition != nil {
			made.Partition = *each.Partition
			given = append(given, made)
		} else {
			chosen = append(chosen, made)
		}
	}
	if len(given) > 0 {
		by, err := kgo.NewClient(kgo.SeedBrokers(a.server), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			return nil, err
		}
		defer by.Close()
		if err := by.ProduceSync(ctx, given...).FirstErr(); err != nil {
			return nil, err
		}
	}
	if err := client.ProduceSync(ctx, chosen...).FirstErr(); err != nil {
		return nil, err
	}
	places := []any{}
	for _, each := range append(given, chosen...) {
		places = append(places, map[string]any{"partition": each.Partition, "offset": each.Offset})
	}
	return places, nil
}

func (a *adapter) open(ctx context.Context, asked *request) error {
	at := kgo.NewOffset()
	var offset int64
	var by struct{ Time int64 }
	switch {
	case string(asked.Start) == `"earliest"`:
		at = at.AtStart()
	case string(asked.Start) == `"latest"`:
		at = at.AtEnd()
	case json.Unmarshal(asked.Start, &offset) == nil:
		at = at.At(offset)
	case json.Unmarshal(asked.Start, &by) == nil:
		at = at.AfterMilli(by.Time)
	}
	places := map[string]map[int32]kgo.Offset{asked.Topic: {asked.Partition: at}}
	client, err := kgo.NewClient(kgo.SeedBrokers(a.server), kgo.ConsumePartitions(places), kgo.FetchMaxWait(200*time.Millisecond))
	a.readers[asked.Name] = &reader{client: client}
	return err
}

func (r *reader) change(add bool) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(ctx context.Context, client *kgo.Client, topics map[string][]int32) {
		if !add && r.commits {
			client.CommitUncommittedOffsets(ctx)
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		for _, partitions := range topics {
			for _, partition := range partitions {
				if add {
					r.assigned[partition] = true
				} else {
					delete(r.assigned, partition)
				}
			}
		}
	}
}

func (r *reader) partitions() []int32 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	held := []int32{}
	for partition := range r.assigned {
		held = append(held, partition)
	}
	return held
}

func (a *adapter) join(asked *request) error {
	made := &reader{group: asked.Group, assigned: map[int32]bool{}, commits: asked.AutoCommit}
	options := []kgo.Opt{kgo.SeedBrokers(a.server), kgo.ConsumerGroup(asked.Group), kgo.ConsumeTopics(asked.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(10 * time.Second),
		kgo.HeartbeatInterval(500 * time.Millisecond), kgo.OnPartitionsAssigned(made.change(true)),
		kgo.OnPartitionsRevoked(made.change(false)), kgo.OnPartitionsLost(made.change(false)),
		kgo.FetchMaxWait(200 * time.Millisecond)}
	if !asked.AutoCommit {
		options = append(options, kgo.DisableAutoCommit())
	}
	if asked.Instance != "" {
		options = append(options, kgo.InstanceID(asked.Instance))
	}
	if asked.Strategy == "" {
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	} else {
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	client, err := kgo.NewClient(options...)
	made.client = client
	a.readers[asked.Name] = made
	return err
}

func (a *adapter) read(asked *request) (any, error) {
	r := a.readers[asked.Name]
	ctx, cancel := within(asked.Seconds)
	defer cancel()
	found := []record{}
	for len(found) < int(asked.Count) {
		fetches := r.client.PollRecords(ctx, int(asked.Count)-len(found))
		for _, each := range fetches.Records() {
			timestamp, headers := each.Timestamp.UnixMilli(), [][2]*string{}
			for _, header := range each.Headers {
				headers = append(headers, [2]*string{&header.Key, text(header.Value)})
			}
			partition := each.Partition
			found = append(found, record{&partition, each.Offset, text(each.Key), text(each.Value), headers, &timestamp})
		}
		if ctx.Err() != nil {
			break
		}
		for _, failed := range fetches.Errors() {
			if !kerr.IsRetriable(failed.Err) && !errors.Is(failed.Err, context.DeadlineExceeded) {
				return nil, failed.Err
			}
		}
	}
	return found, nil
}

func (a *adapter) commit(ctx context.Context, asked *request) error {
	places, metadata := map[int32]kgo.EpochOffset{}, map[int32]string{}
	for partition, each := range asked.Offsets {
		var place [2]json.RawMessage
		var offset int64
		var said string
		number, err := strconv.Atoi(partition)
		err = errors.Join(err, json.Unmarshal(each, &place), json.Unmarshal(place[0], &offset), json.Unmarshal(place[1], &said))
		if err != nil {
			return err
		}
		places[int32(number)], metadata[int32(number)] = kgo.EpochOffset{Epoch: -1, Offset: offset}, said
	}
	ctx = kgo.PreCommitFnContext(ctx, func(commit *kmsg.OffsetCommitRequest) error {
		for t := range commit.Topics {
			for p := range commit.Topics[t].Partitions {
				partition := &commit.Topics[t].Partitions[p]
				said := metadata[partition.Partition]
				partition.Metadata = &said
			}
		}
		return nil
	})
	var failed error
	a.readers[asked.Name].client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{asked.Topic: places},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
			failed = err
			if err != nil {
				return
			}
			for _, topic := range answer.Topics {
				for _, partition := range topic.Partitions {
					failed = errors.Join(failed, kerr.ErrorForCode(partition.ErrorCode))
				}
			}
		})
	return failed
}

func (a *adapter) committed(ctx context.Context, asked *request) (any, error) {
	fetched, err := a.admin.FetchOffsets(ctx, a.readers[asked.Name].group)
	if err != nil {
		return nil, err
	}
	found, _ := fetched.Lookup(asked.Topic, asked.Partition)
	return []any{found.At, found.Metadata}, found.Err
}

func (a *adapter) close(ctx context.Context, asked *request) error {
	r := a.readers[asked.Name]
	if r.commits {
		if err := r.client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
	}
	r.client.Close()
	delete(a.readers, asked.Name)
	return nil
}

func (a *adapter) offset(ctx context.Context, asked *request) (any, error) {
	list := a.admin.ListStartOffsets
	var millis int64
	if string(asked.At) == `"latest"` {
		list = a.admin.ListEndOffsets
	} else if json.Unmarshal(asked.At, &millis) == nil {
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return a.admin.ListOffsetsAfterMilli(ctx, millis, topics...)
		}
	}
	listed, err := list(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	found, _ := listed.Lookup(asked.Topic, asked.Partition)
	return found.Offset, found.Err
}

// --- groups

func (a *adapter) group(ctx context.Context, asked *request) (any, error) {
	described, err := a.admin.DescribeGroups(ctx, asked.Group)
	if err != nil {
		return nil, err
	}
	found := described[asked.Group]
	members := []any{}
	for _, member := range found.Members {
		partitions := []int32{}
		if assigned, ok := member.Assigned.AsConsumer(); ok {
			for _, topic := range assigned.Topics {
				partitions = append(partitions, topic.Partitions...)
			}
		}
		members = append(members, map[string]any{"partitions": partitions})
	}
	return map[string]any{"state": found.State, "members": members}, found.Err
}

func (a *adapter) groupOffsets(ctx context.Context, asked *request) (any, error) {
	fetched, err := a.admin.FetchOffsets(ctx, asked.Group)
	found := map[string]int64{}
	fetched.Each(func(each kadm.OffsetResponse) { found[strconv.Itoa(int(each.Partition))] = each.At })
	return found, err
}

func (a *adapter) alterGroupOffsets(ctx context.Context, asked *request) error {
	offsets := kadm.Offsets{}
	for partition, each := range asked.Offsets {
		number, _ := strconv.Atoi(partition)
		offset, _ := strconv.ParseInt(string(each), 10, 64)
		offsets.Add(kadm.Offset{Topic: asked.Topic, Partition: int32(number), At: offset, LeaderEpoch: -1})
	}
	return a.admin.CommitAllOffsets(ctx, asked.Group, offsets)
}

func (a *adapter) deleteGroupOffsets(ctx context.Context, asked *request) error {
	var partitions []int32
	if err := json.Unmarshal(asked.Partitions, &partitions); err != nil {
		return err
	}
	set := kadm.TopicsSet{}
	set.Add(asked.Topic, partitions...)
	said, err := a.admin.DeleteOffsets(ctx, asked.Group, set)
	if err != nil {
		return err
	}
	return said.Error()
}

// --- administration

func (a *adapter) administer(ctx context.Context, asked *request) (any, error) {
	switch asked.Do {
	case "topics":
		return a.topics(ctx)
	case "cluster":
		return a.cluster(ctx)
	case "create_topic":
		return nil, a.createTopic(ctx, asked)
	case "delete_topic":
		said, err := a.admin.DeleteTopic(ctx, asked.Topic)
		return nil, errors.Join(err, said.Err)
	case "configs":
		return a.configs(ctx, asked)
	case "alter_configs", "alter_configs_incrementally":
		return nil, a.alterConfigs(ctx, asked)
	case "create_partitions":
		said, err := a.admin.UpdatePartitions(ctx, int(asked.Total), asked.Topic)
		return nil, errors.Join(err, said.Error())
	case "delete_records":
		return a.deleteRecords(ctx, asked)
	case "log_dirs":
		return a.logDirs(ctx, asked)
	case "producers":
		return a.describeProducers(ctx, asked)
	}
	return nil, errNotOffered
}

func (a *adapter) topics(ctx context.Context) (any, error) {
	listed, err := a.admin.ListTopics(ctx)
	found := map[string]int{}
	for name, topic := range listed {
		found[name] = len(topic.Partitions)
	}
	return found, err
}

func (a *adapter) cluster(ctx context.Context) (any, error) {
	said, err := a.admin.BrokerMetadata(ctx)
	brokers := []string{}
	for _, each := range said.Brokers {
		brokers = append(brokers, fmt.Sprintf("%s:%d", each.Host, each.Port))
	}
	return map[string]any{"brokers": brokers, "controller": said.Controller, "id": said.Cluster}, err
}

func (a *adapter) createTopic(ctx context.Context, asked *request) error {
	configs := map[string]*string{}
	for name, value := range asked.Configs {
		configs[name] = &value
	}
	partitions, _ := strconv.Atoi(strings.TrimSpace(string(asked.Partitions)))
	said, err := a.admin.CreateTopic(ctx, int32(partitions), 1, configs, asked.Topic)
	return errors.Join(err, said.Err)
}

func (a *adapter) configs(ctx context.Context, asked *request) (any, error) {
	said, err := a.admin.DescribeTopicConfigs(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, each := range said[0].Configs {
		found[each.Key] = each.MaybeValue()
	}
	return found, said[0].Err
}

func (a *adapter) alterConfigs(ctx context.Context, asked *request) error {
	changes := []kadm.AlterConfig{}
	for name, value := range asked.Configs {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	alter := a.admin.AlterTopicConfigsState
	if asked.Do == "alter_configs_incrementally" {
		alter = a.admin.AlterTopicConfigs
	}
	said, err := alter(ctx, changes, asked.Topic)
	if err != nil {
		return err
	}
	return said[0].Err
}

func (a *adapter) deleteRecords(ctx context.Context, asked *request) (any, error) {
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: asked.Topic, Partition: asked.Partition, At: asked.Before, LeaderEpoch: -1})
	said, err := a.admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return nil, err
	}
	found, _ := said.Lookup(asked.Topic, asked.Partition)
	return found.LowWatermark, found.Err
}

func (a *adapter) logDirs(ctx context.Context, asked *request) (any, error) {
	said, err := a.admin.DescribeAllLogDirs(ctx, nil)
	size := int64(0)
	said.Each(func(folder kadm.DescribedLogDir) {
		folder.Topics.Each(func(each kadm.DescribedLogDirPartition) {
			if each.Topic == asked.Topic {
				size += each.Size
			}
		})
	})
	return size, err
}

func (a *adapter) describeProducers(ctx context.Context, asked *request) (any, error) {
	set := kadm.TopicsSet{}
	set.Add(asked.Topic, asked.Partition)
	said, err := a.admin.DescribeProducers(ctx, set)
	if err != nil {
		return nil, err
	}
	found, failed := [][2]int64{}, error(nil)
	said.EachPartition(func(partition kadm.DescribedProducersPartition) {
		failed = errors.Join(failed, partition.Err)
		for _, each := range partition.ActiveProducers {
			found = append(found, [2]int64{each.ProducerID, int64(each.LastSequence)})
		}
	})
	return found, failed
}
