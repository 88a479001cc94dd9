// Java's kafka-clients, 3.9 and 4: one request a line in, one answer a line out (see ../README.md).

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public final class Adapter {
  private static final class NotOffered extends RuntimeException {}

  private final String server;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
  private final Map<String, Reader> readers = new HashMap<>();
  private Admin admin;

  /** A consumer and what it has read more than was asked for. */
  private static final class Reader {
    final KafkaConsumer<byte[], byte[]> consumer;
    final List<Object> ahead = new ArrayList<>();

    Reader(KafkaConsumer<byte[], byte[]> consumer) {
      this.consumer = consumer;
    }
  }

  private Adapter(String server) {
    this.server = server;
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream out = System.out;
    System.setOut(System.err);
    ObjectMapper json = new ObjectMapper();
    Adapter adapter = new Adapter(arguments[0]);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Map<String, Object> answer = new HashMap<>();
      try {
        answer.put("ok", adapter.act(json.readTree(line)));
      } catch (NotOffered none) {
        answer.put("not_offered", "");
      } catch (ExecutionException error) {
        answer.put("error", String.valueOf(error.getCause()));
      } catch (Exception error) {
        answer.put("error", String.valueOf(error));
      }
      out.write((json.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
      out.flush();
    }
    System.exit(0);
  }

  private Object act(JsonNode asked) throws Exception {
    switch (asked.get("do").asText()) {
      case "version": return AppInfoParser.getVersion();
      case "produce": return produce(asked);
      case "open": return open(asked);
      case "join": return join(asked);
      case "read": return read(asked);
      case "assignment": return assignment(asked);
      case "commit": return commit(asked);
      case "committed": return committed(asked);
      case "close": return close(asked);
      case "offset": return offset(asked);
      case "groups": return groups();
      case "group": return group(asked);
      case "delete_group": return done(admin().deleteConsumerGroups(List.of(text(asked, "group"))).all());
      case "group_offsets": return groupOffsets(asked);
      case "alter_group_offsets": return alterGroupOffsets(asked);
      case "delete_group_offsets": return deleteGroupOffsets(asked);
      default: return administer(asked);
    }
  }

  private Object administer(JsonNode asked) throws Exception {
    switch (asked.get("do").asText()) {
      case "topics": return topics();
      case "cluster": return cluster();
      case "create_topic": return createTopic(asked);
      case "delete_topic": return done(admin().deleteTopics(List.of(text(asked, "topic"))).all());
      case "configs": return configs(asked);
      case "alter_configs": return alterConfigs(asked);
      case "alter_configs_incrementally": return alterConfigsIncrementally(asked);
      case "create_partitions":
        return done(admin().createPartitions(
            Map.of(text(asked, "topic"), NewPartitions.increaseTo(asked.get("total").asInt()))).all());
      case "delete_records": return deleteRecords(asked);
      case "admin_offset": return adminOffset(asked);
      case "log_dirs": return logDirs(asked);
      case "producers": return describeProducers(asked);
      default: throw new NotOffered();
    }
  }

  // --- producing and consuming ----------------------------------------------------------------------------------------

  private KafkaProducer<byte[], byte[]> producer(JsonNode options) {
    return producers.computeIfAbsent(options.toString(), name -> {
      Properties settings = new Properties();
      settings.put("bootstrap.servers", server);
      settings.put("compression.type", options.path("codec").asText("none"));
      settings.put("acks", options.path("acks").asText("-1"));
      settings.put("enable.idempotence", options.path("idempotent").asBoolean(false));
      settings.put("max.request.size", options.path("max_request").asInt(1048576));
      settings.put("buffer.memory", 64 << 20);
      settings.put("linger.ms", 20);
      settings.put("request.timeout.ms", 10000);
      settings.put("delivery.timeout.ms", 20000);
      return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    });
  }

  private Object produce(JsonNode asked) throws Exception {
    KafkaProducer<byte[], byte[]> producer = producer(asked.get("options"));
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (JsonNode each : asked.get("records")) {
      ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
          text(asked, "topic"), each.has("partition") ? each.get("partition").asInt() : null,
          each.has("timestamp") ? each.get("timestamp").asLong() : null, bytes(each.get("key")),
          bytes(each.get("value")));
      for (JsonNode header : each.path("headers")) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
      sent.add(producer.send(record));
    }
    producer.flush();
    List<Object> places = new ArrayList<>();
    for (Future<RecordMetadata> each : sent) {
      RecordMetadata place = each.get();
      places.add(Map.of("partition", place.partition(), "offset", place.offset()));
    }
    return places;
  }

  private KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", server);
    settings.put("enable.auto.commit", false);
    settings.put("default.api.timeout.ms", 15000);
    settings.putAll(more);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private Object open(JsonNode asked) {
    KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("auto.offset.reset", "none"));
    readers.put(text(asked, "name"), new Reader(consumer));
    TopicPartition place = place(asked);
    consumer.assign(List.of(place));
    JsonNode start = asked.get("start");
    if (start.isInt()) consumer.seek(place, start.asLong());
    else if (start.isObject()) consumer.seek(place, byTime(consumer, place, start.get("time").asLong()));
    else if (start.asText().equals("latest")) consumer.seekToEnd(List.of(place));
    else consumer.seekToBeginning(List.of(place));
    consumer.position(place);
    return null;
  }

  private static long byTime(KafkaConsumer<?, ?> consumer, TopicPartition place, long time) {
    return consumer.offsetsForTimes(Map.of(place, time)).get(place).offset();
  }

  private Object join(JsonNode asked) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("group.id", text(asked, "group"));
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", asked.path("auto_commit").asBoolean(false));
    settings.put("session.timeout.ms", 10000);
    settings.put("heartbeat.interval.ms", 500);
    if (asked.hasNonNull("instance")) settings.put("group.instance.id", text(asked, "instance"));
    settings.put("partition.assignment.strategy", asked.hasNonNull("strategy")
        ? "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
        : "org.apache.kafka.clients.consumer.RangeAssignor");
    Reader reader = new Reader(consumer(settings));
    readers.put(text(asked, "name"), reader);
    reader.consumer.subscribe(List.of(text(asked, "topic")));
    return null;
  }

  private Object read(JsonNode asked) {
    Reader reader = reader(asked);
    int count = asked.get("count").asInt();
    long end = System.nanoTime() + (long) (asked.get("seconds").asDouble() * 1e9);
    while (reader.ahead.size() < count && System.nanoTime() < end) {
      long left = Math.max(1, (end - System.nanoTime()) / 1000000);
      for (ConsumerRecord<byte[], byte[]> each : reader.consumer.poll(Duration.ofMillis(left)))
        reader.ahead.add(record(each));
    }
    List<Object> first = reader.ahead.subList(0, Math.min(count, reader.ahead.size()));
    List<Object> found = new ArrayList<>(first);
    first.clear();
    return found;
  }

  private static Object record(ConsumerRecord<byte[], byte[]> each) {
    List<Object> headers = new ArrayList<>();
    for (Header header : each.headers()) headers.add(new String[] {header.key(), text(header.value())});
    Map<String, Object> record = new HashMap<>();
    record.put("partition", each.partition());
    record.put("offset", each.offset());
    record.put("key", text(each.key()));
    record.put("value", text(each.value()));
    record.put("headers", headers);
    record.put("timestamp", each.timestamp());
    return record;
  }

  private Object assignment(JsonNode asked) {
    return reader(asked).consumer.assignment().stream().map(TopicPartition::partition).toList();
  }

  private Object commit(JsonNode asked) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    asked.get("offsets").fields().forEachRemaining(each -> offsets.put(
        new TopicPartition(text(asked, "topic"), Integer.parseInt(each.getKey())),
        new OffsetAndMetadata(each.getValue().get(0).asLong(), each.getValue().get(1).asText())));
    reader(asked).consumer.commitSync(offsets);
    return null;
  }

  private Object committed(JsonNode asked) {
    OffsetAndMetadata found = reader(asked).consumer.committed(Set.of(place(asked))).get(place(asked));
    return List.of(found.offset(), found.metadata());
  }

  private Object close(JsonNode asked) {
    readers.remove(text(asked, "name")).consumer.close();
    return null;
  }

  private Object offset(JsonNode asked) {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
      TopicPartition place = place(asked);
      JsonNode at = asked.get("at");
      if (at.isNumber()) return byTime(consumer, place, at.asLong());
      return at.asText().equals("latest") ? consumer.endOffsets(List.of(place)).get(place)
                                          : consumer.beginningOffsets(List.of(place)).get(place);
    }
  }

  // --- groups ---------------------------------------------------------------------------------------------------------

  @SuppressWarnings("removal")
  private Object groups() throws Exception {
    return admin().listConsumerGroups().all().get().stream().map(each -> each.groupId()).toList();
  }

  @SuppressWarnings("removal")
  private Object group(JsonNode asked) throws Exception {
    var said = admin().describeConsumerGroups(List.of(text(asked, "group"))).all().get().get(text(asked, "group"));
    List<Object> members = new ArrayList<>();
    for (var each : said.members())
      members.add(Map.of("partitions", each.assignment().topicPartitions().stream()
                                           .map(TopicPartition::partition).toList()));
    return Map.of("state", said.state().toString(), "members", members);
  }

  private Object groupOffsets(JsonNode asked) throws Exception {
    Map<String, Object> found = new HashMap<>();
    admin().listConsumerGroupOffsets(text(asked, "group")).partitionsToOffsetAndMetadata().get()
        .forEach((place, offset) -> found.put(String.valueOf(place.partition()), offset.offset()));
    return found;
  }

  private Object alterGroupOffsets(JsonNode asked) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    asked.get("offsets").fields().forEachRemaining(each -> offsets.put(
        new TopicPartition(text(asked, "topic"), Integer.parseInt(each.getKey())),
        new OffsetAndMetadata(each.getValue().asLong())));
    return done(admin().alterConsumerGroupOffsets(text(asked, "group"), offsets).all());
  }

  private Object deleteGroupOffsets(JsonNode asked) throws Exception {
    Set<TopicPartition> places = new HashSet<>();
    for (JsonNode each : asked.get("partitions")) places.add(new TopicPartition(text(asked, "topic"), each.asInt()));
    return done(admin().deleteConsumerGroupOffsets(text(asked, "group"), places).all());
  }

  // --- administration -------------------------------------------------------------------------------------------------

  private Object topics() throws Exception {
    Map<String, Object> found = new HashMap<>();
    admin().describeTopics(admin().listTopics().names().get()).allTopicNames().get()
        .forEach((name, topic) -> found.put(name, topic.partitions().size()));
    return found;
  }

  private Object cluster() throws Exception {
    DescribeClusterResult said = admin().describeCluster();
    List<String> brokers = said.nodes().get().stream().map(each -> each.host() + ":" + each.port()).toList();
    return Map.of("brokers", brokers, "controller", said.controller().get().id(), "id", said.clusterId().get());
  }

  private Object createTopic(JsonNode asked) throws Exception {
    NewTopic topic = new NewTopic(text(asked, "topic"), asked.get("partitions").asInt(), (short) 1);
    return done(admin().createTopics(List.of(topic.configs(strings(asked.get("configs"))))).all());
  }

  private static ConfigResource resource(JsonNode asked) {
    return new ConfigResource(ConfigResource.Type.TOPIC, text(asked, "topic"));
  }

  private Object configs(JsonNode asked) throws Exception {
    Map<String, Object> found = new HashMap<>();
    for (ConfigEntry each : admin().describeConfigs(List.of(resource(asked))).all().get().get(resource(asked)).entries())
      found.put(each.name(), each.value());
    return found;
  }

  /** The call that replaces all settings is gone from 4.0. */
  private Object alterConfigs(JsonNode asked) throws Exception {
    List<ConfigEntry> entries = new ArrayList<>();
    strings(asked.get("configs")).forEach((name, value) -> entries.add(new ConfigEntry(name, value)));
    try {
      Object said = Admin.class.getMethod("alterConfigs", Map.class)
          .invoke(admin(), Map.of(resource(asked), new Config(entries)));
      Object all = said.getClass().getMethod("all").invoke(said);
      return done((KafkaFuture<?>) all);
    } catch (NoSuchMethodException gone) {
      throw new NotOffered();
    }
  }

  private Object alterConfigsIncrementally(JsonNode asked) throws Exception {
    Collection<AlterConfigOp> operations = new ArrayList<>();
    strings(asked.get("configs")).forEach((name, value) -> operations.add(
        new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
    return done(admin().incrementalAlterConfigs(Map.of(resource(asked), operations)).all());
  }

  private Object deleteRecords(JsonNode asked) throws Exception {
    var wanted = Map.of(place(asked), RecordsToDelete.beforeOffset(asked.get("before").asLong()));
    return admin().deleteRecords(wanted).lowWatermarks().get(place(asked)).get().lowWatermark();
  }

  private Object adminOffset(JsonNode asked) throws Exception {
    JsonNode at = asked.get("at");
    OffsetSpec spec = at.isNumber() ? OffsetSpec.forTimestamp(at.asLong())
        : at.asText().equals("latest") ? OffsetSpec.latest() : OffsetSpec.earliest();
    return admin().listOffsets(Map.of(place(asked), spec)).partitionResult(place(asked)).get().offset();
  }

  private Object logDirs(JsonNode asked) throws Exception {
    long size = 0;
    for (var folders : admin().describeLogDirs(List.of(1)).allDescriptions().get().values())
      for (var folder : folders.values())
        for (var each : folder.replicaInfos().entrySet())
          if (each.getKey().topic().equals(text(asked, "topic"))) size += each.getValue().size();
    return size;
  }

  private Object describeProducers(JsonNode asked) throws Exception {
    List<Object> found = new ArrayList<>();
    for (ProducerState each : admin().describeProducers(List.of(place(asked))).partitionResult(place(asked)).get()
                                  .activeProducers())
      found.add(List.of(each.producerId(), each.lastSequence()));
    return found;
  }

  // --- small things ---------------------------------------------------------------------------------------------------

  private Admin admin() {
    if (admin == null) {
      admin = Admin.create(Map.of("bootstrap.servers", server, "default.api.timeout.ms", 15000,
                                  "request.timeout.ms", 10000));
    }
    return admin;
  }

  private static Object done(KafkaFuture<?> future) throws Exception {
    future.get(20, TimeUnit.SECONDS);
    return null;
  }

  private Reader reader(JsonNode asked) {
    return readers.get(text(asked, "name"));
  }

  private static TopicPartition place(JsonNode asked) {
    return new TopicPartition(text(asked, "topic"), asked.get("partition").asInt());
  }

  private static Map<String, String> strings(JsonNode object) {
    Map<String, String> found = new HashMap<>();
    object.fields().forEachRemaining(each -> found.put(each.getKey(), each.getValue().asText()));
    return found;
  }

  private static String text(JsonNode asked, String name) {
    return asked.get(name).asText();
  }

  private static String text(byte[] value) {
    return value == null ? null : new String(value, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(JsonNode value) {
    return value.isNull() ? null : value.asText().getBytes(StandardCharsets.UTF_8);
  }
}
