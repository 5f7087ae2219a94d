using BenchmarkDotNet.Attributes;
using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Benchmarks.Micro;

/// <summary>The heads of both sides of a handshake, parsed once per tunnel.</summary>
public class ParseBenchmarks
{
    private readonly byte[] _request = Heads.WebSocket;
    private readonly byte[] _answer = Heads.SwitchingProtocols;

    [Benchmark]
    public bool RequestHead() => HandshakeParser.Parse(_request, HeadLimits.Default, out _) == Verdict.WebSocket;

    [Benchmark]
    public bool ResponseHeadAndProof() => ResponseHead.TryParse(_answer, out var head) > 0 && head!.Opens("dGhlIHNhbXBsZSBub25jZQ=="u8);

    [GlobalSetup]
    public void Check()
    {
        if (!RequestHead() || !ResponseHeadAndProof()) throw new InvalidOperationException("A head is not what it is meant to be.");
    }
}
