// kafkajs: one request a line in, one answer a line out (see ../README.md).
'use strict'

const readline = require('readline')
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, Partitioners, logLevel } = require('kafkajs')

class NotOffered extends Error {}
class Skipped extends Error {}

const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString())
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// --- codecs: kafkajs has gzip itself ---------------------------------------------------------------------------------

const codecs = {
  none: async () => CompressionTypes.None,
  gzip: async () => CompressionTypes.GZIP,
  snappy: async () => {
    CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
    return CompressionTypes.Snappy
  },
  lz4: async () => {
    const lz4 = require('lz4-napi')
    CompressionCodecs[CompressionTypes.LZ4] = () => ({
      compress: async (encoder) => lz4.compressFrame(encoder.buffer),
      decompress: async (buffer) => lz4.decompressFrame(buffer)
    })
    return CompressionTypes.LZ4
  },
  zstd: async () => {
    const zstd = await new Promise((resolve) => require('zstd-codec').ZstdCodec.run((made) => resolve(new made.Streaming())))
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({
      compress: async (encoder) => Buffer.from(zstd.compress(new Uint8Array(encoder.buffer))),
      decompress: async (buffer) => Buffer.from(zstd.decompress(new Uint8Array(buffer)))
    })
    return CompressionTypes.ZSTD
  }
}

async function codecNamed(name) {
  try {
    return await codecs[name]()
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') throw new Skipped(error.message.split('\n')[0])
    throw error
  }
}

// --- the client -------------------------------------------------------------------------------------------------------

const server = process.argv[2]
const kafka = new Kafka({
  brokers: [server], clientId: 'conformance', logLevel: logLevel.NOTHING, requestTimeout: 10000,
  retry: { initialRetryTime: 100, retries: 8, maxRetryTime: 2000 }
})
const producers = new Map()
const readers = new Map()
let connected

async function admin() {
  if (!connected) {
    connected = kafka.admin()
    await connected.connect()
  }
  return connected
}

async function producer(options) {
  const name = options.idempotent ? 'idempotent' : 'plain'
  if (!producers.has(name)) {
    const made = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner, idempotent: Boolean(options.idempotent),
      maxInFlightRequests: options.idempotent ? 1 : null
    })
    await made.connect()
    producers.set(name, made)
  }
  return producers.get(name)
}

async function produce({ topic, records, options }) {
  const made = await producer(options)
  const messages = records.map((each) => ({
    key: each.key, value: each.value, partition: each.partition,
    headers: Object.fromEntries(each.headers || []),
    timestamp: each.timestamp === undefined ? undefined : String(each.timestamp)
  }))
  const said = await made.send({
    topic, messages, acks: options.acks === undefined ? -1 : options.acks, timeout: 10000,
    compression: await codecNamed(options.codec || 'none')
  })
  // One place for each partition is told, not one for each record.
  if (!said || said.length !== 1 || said[0].baseOffset === undefined) return records.map(() => null)
  return records.map((_, n) => ({ partition: said[0].partition, offset: Number(said[0].baseOffset) + n }))
}

// What a consumer has read and nobody asked for yet.
class Reader {
  constructor(consumer, commits) {
    this.consumer = consumer
    this.commits = commits
    this.ahead = []
    this.held = []
    this.arrived = () => {}
    this.next = 0  // behind the last record that was asked for, in whichever partition
    const events = consumer.events
    consumer.on(events.GROUP_JOIN, ({ payload }) => { this.held = Object.values(payload.memberAssignment).flat() })
    consumer.on(events.REBALANCING, () => { this.held = [] })
  }

  // A record counts as consumed when it was asked for: only then does kafkajs go on, and commit.
  async take(topic, partition, message, heartbeat) {
    let taken
    const given = new Promise((resolve) => { taken = resolve })
    this.ahead.push({
      taken,
      record: {
        partition, offset: Number(message.offset), key: text(message.key), value: text(message.value),
        headers: Object.entries(message.headers || {}).map(([name, value]) => [name, text(value)]),
        timestamp: Number(message.timestamp)
      }
    })
    this.arrived()
    while (!(await Promise.race([given.then(() => true), sleep(400).then(() => false)]))) {
      try {
        await heartbeat()
      } catch (error) {
        this.ahead = this.ahead.filter((each) => each.taken !== taken)
        throw error
      }
    }
  }

  // Until a record comes, or the time is over: asking every millisecond would be all that reading costs.
  arrival(ms) {
    return new Promise((resolve) => {
      const over = setTimeout(resolve, ms)
      this.arrived = () => { clearTimeout(over); resolve() }
    })
  }

  async read({ count, seconds }) {
    const found = []
    const end = Date.now() + seconds * 1000
    while (found.length < count && Date.now() < end) {
      if (!this.ahead.length) {
        await this.arrival(end - Date.now())
        continue
      }
      const first = this.ahead.shift()
      found.push(first.record)
      this.next = first.record.offset + 1
      first.taken()
    }
    return found
  }
}

async function run(name, settings, topic, commits, where) {
  const consumer = kafka.consumer({
    sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 10000, maxWaitTimeInMs: 200, ...settings
  })
  const reader = new Reader(consumer, commits)
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  readers.set(name, reader)
  await consumer.run({
    autoCommit: commits,
    partitionsConsumedConcurrently: 4,
    eachMessage: async ({ topic, partition, message, heartbeat }) => {
      if (where && !where(partition, message)) return
      await reader.take(topic, partition, message, heartbeat)
    }
  })
  return reader
}

// kafkajs consumes in groups only: each of these is a group of its own, set to the place that is wanted.
async function open({ name, topic, partition, start }) {
  let offset = start
  if (typeof start === 'object') {
    const found = await (await admin()).fetchTopicOffsetsByTimestamp(topic, start.time)
    offset = Number(found.find((each) => each.partition === partition).offset)
  } else if (typeof start === 'string') {
    const found = (await (await admin()).fetchTopicOffsets(topic)).find((each) => each.partition === partition)
    offset = Number(start === 'latest' ? found.high : found.low)
  }
  // What came before the seek comes again after it: each record is given once.
  const where = (from, message) =>
    from === partition && Number(message.offset) >= Math.max(offset, readers.get(name).next)
  const reader = await run(name, { groupId: `open-${process.pid}-${name}` }, topic, false, where)
  while (!reader.held.includes(partition)) await sleep(10)
  reader.consumer.seek({ topic, partition, offset: String(offset) })
}

async function join({ name, group, topic, strategy, instance, auto_commit: commits }) {
  if (strategy) throw new NotOffered('cooperative rebalancing')
  if (instance) throw new NotOffered('static members')
  await run(name, { groupId: group }, topic, Boolean(commits))
}

async function topicOffset({ topic, partition, at }) {
  const client = await admin()
  const listed = typeof at === 'number'
    ? await client.fetchTopicOffsetsByTimestamp(topic, at) : await client.fetchTopicOffsets(topic)
  const found = listed.find((each) => each.partition === partition)
  return Number(typeof at === 'number' ? found.offset : at === 'earliest' ? found.low : found.high)
}

async function group({ group }) {
  const said = (await (await admin()).describeGroups([group])).groups[0]
  return { state: said.state, members: said.members.map(() => ({})) }
}

async function fetched(groupId, topic) {
  const said = await (await admin()).fetchOffsets({ groupId, topics: [topic] })
  return said[0].partitions
}

const actions = {
  version: async () => require('kafkajs/package.json').version,
  produce,
  open,
  join,
  read: async (asked) => readers.get(asked.name).read(asked),
  assignment: async ({ name }) => readers.get(name).held,
  commit: async ({ name, topic, offsets }) => {
    await readers.get(name).consumer.commitOffsets(Object.entries(offsets).map(([partition, [offset, metadata]]) => (
      { topic, partition: Number(partition), offset: String(offset), metadata })))
  },
  close: async ({ name }) => {
    const reader = readers.get(name)
    readers.delete(name)
    for (const each of reader.ahead) each.taken()
    await reader.consumer.disconnect()
  },
  offset: topicOffset,
  topics: async () => {
    const said = await (await admin()).fetchTopicMetadata()
    return Object.fromEntries(said.topics.map((each) => [each.name, each.partitions.length]))
  },
  cluster: async () => {
    const said = await (await admin()).describeCluster()
    return {
      brokers: said.brokers.map((each) => `${each.host}:${each.port}`), controller: said.controller, id: said.clusterId
    }
  },
  create_topic: async ({ topic, partitions, configs }) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const made = await (await admin()).createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] })
    if (!made) throw new Error('the topic exists already')
  },
  delete_topic: async ({ topic }) => { await (await admin()).deleteTopics({ topics: [topic] }) },
  configs: async ({ topic }) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }]
    const said = await (await admin()).describeConfigs({ includeSynonyms: false, resources })
    return Object.fromEntries(said.resources[0].configEntries.map((each) => [each.configName, each.configValue]))
  },
  alter_configs: async ({ topic, configs }) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }]
    await (await admin()).alterConfigs({ validateOnly: false, resources })
  },
  create_partitions: async ({ topic, total }) => {
    await (await admin()).createPartitions({ topicPartitions: [{ topic, count: total }] })
  },
  delete_records: async ({ topic, partition, before }) => {
    await topicOffset({ topic, partition, at: 'earliest' }) // deleteTopicRecords does not look for a topic's leader
    await (await admin()).deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
    return topicOffset({ topic, partition, at: 'earliest' })
  },
  groups: async () => (await (await admin()).listGroups()).groups.map((each) => each.groupId),
  group,
  delete_group: async ({ group }) => { await (await admin()).deleteGroups([group]) },
  group_offsets: async ({ group, topic }) => Object.fromEntries(
    (await fetched(group, topic)).map((each) => [each.partition, Number(each.offset)])),
  alter_group_offsets: async ({ group, topic, offsets }) => {
    const partitions = Object.entries(offsets).map(([partition, offset]) => (
      { partition: Number(partition), offset: String(offset) }))
    await (await admin()).setOffsets({ groupId: group, topic, partitions })
  }
}

// kafkajs has no admin call of this; a member's group tells it.
actions.committed = async ({ name, topic, partition }) => {
  const groupId = (await readers.get(name).consumer.describeGroup()).groupId
  const found = (await fetched(groupId, topic)).find((each) => each.partition === partition)
  return [Number(found.offset), found.metadata]
}

async function answer(line) {
  const { do: what, ...asked } = JSON.parse(line)
  if (!actions[what]) return { not_offered: what }
  try {
    return { ok: await actions[what](asked) }
  } catch (error) {
    if (error instanceof NotOffered) return { not_offered: error.message }
    if (error instanceof Skipped) return { skipped: error.message }
    if (process.env.TRACE) console.error(error)
    return { error: `${error.name}: ${error.message} ${error.type || ''} ${error.cause || ''}` }
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(line)) + '\n')
  }
  process.exit(0)
}

main()
