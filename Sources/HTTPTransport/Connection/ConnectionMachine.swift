/// The protocol of one connection as a value: bytes, answers and ticks go in, actions come out.
struct ConnectionMachine {
    var phase = ConnectionPhase.idle
    var head = RequestHead()
    var keepsAlive = true
}
