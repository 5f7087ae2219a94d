using System.Buffers;
using BenchmarkDotNet.Attributes;
using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Benchmarks.Micro;

/// <summary>A look at the first bytes of a connection. Only the handshake may allocate: its head is kept for the forwarder.</summary>
public class SniffBenchmarks
{
    private readonly ReadOnlySequence<byte> _plainGet = new(Heads.PlainGet);
    private readonly ReadOnlySequence<byte> _webSocket = new(Heads.WebSocket);
    private readonly ReadOnlySequence<byte> _post = new(Heads.Post);

    [Benchmark(Baseline = true)]
    public bool PlainGetRequest() => Sniff(_plainGet) == Verdict.PlainHttp;

    [Benchmark]
    public bool WebSocketHandshake() => Sniff(_webSocket) == Verdict.WebSocket;

    [Benchmark]
    public bool PostRequest() => Sniff(_post) == Verdict.PlainHttp;

    [GlobalSetup]
    public void Check()
    {
        if (!PlainGetRequest() || !WebSocketHandshake() || !PostRequest()) throw new InvalidOperationException("A head is not what it is meant to be.");
    }

    private static Verdict Sniff(in ReadOnlySequence<byte> bytes) => new Sniffer(HeadLimits.Default).Sniff(bytes, out _);
}
