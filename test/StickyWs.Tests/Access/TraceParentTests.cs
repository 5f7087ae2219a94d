using System.Diagnostics;
using System.Text;
using StickyWs.Access;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Access;

/// <summary>By W3C Trace Context, sections 3.2 and 3.3.</summary>
public sealed class TraceParentTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string SpanId = "00f067aa0ba902b7";
    private const string Valid = $"00-{TraceId}-{SpanId}-01";

    [Theory]
    [InlineData(Valid)]
    [InlineData($"00-{TraceId}-{SpanId}-00")]
    [InlineData($"00-{TraceId}-{SpanId}-ff")]
    [InlineData($"cc-{TraceId}-{SpanId}-01")]
    [InlineData($"cc-{TraceId}-{SpanId}-01-what the future brings")]
    public void IsValid_ByTheRules(string value) => Assert.True(TraceParent.IsValid(Encoding.ASCII.GetBytes(value)));

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData($"ff-{TraceId}-{SpanId}-01")]
    [InlineData($"0-{TraceId}-{SpanId}-01")]
    [InlineData($"0G-{TraceId}-{SpanId}-01")]
    [InlineData($"00-{TraceId}-{SpanId}-1")]
    [InlineData($"00-{TraceId}-{SpanId}-0x")]
    [InlineData($"00-{TraceId}-{SpanId}-0A")]
    [InlineData($"00-{TraceId}-{SpanId}-01-")]
    [InlineData($"00-{TraceId}-{SpanId}-01-more")]
    [InlineData($"cc-{TraceId}-{SpanId}-01.more")]
    [InlineData($"00-{TraceId}-0000000000000000-01")]
    [InlineData($"00-00000000000000000000000000000000-{SpanId}-01")]
    [InlineData($"00-4BF92F3577B34DA6A3CE929D0E0E4736-{SpanId}-01")]
    [InlineData($"00_{TraceId}_{SpanId}_01")]
    [InlineData($"00-{TraceId}-{SpanId} 01")]
    [InlineData($"00-4bf92f3577b34da6a3ce929d0e0e473-{SpanId}-001")]
    [InlineData("00-\u00c3\u00a4f92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01")]
    public void IsValid_AgainstTheRules_IsFalse(string value) => Assert.False(TraceParent.IsValid(Encoding.Latin1.GetBytes(value)));

    [Fact]
    public void Read_Valid_IsTheClientsSpan()
    {
        var context = Read($"TraceParent: \t{Valid} \r\ntracestate: a=1 ,b@c=2\r\nTraceState: , d=x y\r\n");

        Assert.Equal((TraceId, SpanId), (context.TraceId.ToHexString(), context.SpanId.ToHexString()));
        Assert.Equal((ActivityTraceFlags.Recorded, true, "a=1,b@c=2,d=x y"), (context.TraceFlags, context.IsRemote, context.TraceState));
    }

    [Theory]
    [InlineData("02", ActivityTraceFlags.None)]
    [InlineData("03", ActivityTraceFlags.Recorded)]
    public void Read_Flags_OfUnknownMeaningAreLeftOut(string flags, ActivityTraceFlags expected)
        => Assert.Equal(expected, Read($"traceparent: 00-{TraceId}-{SpanId}-{flags}\r\n").TraceFlags);

    // Two may be a request that somebody tampered with; which is meant, nobody knows.
    [Theory]
    [InlineData($"traceparent: {Valid}\r\ntraceparent: {Valid}\r\ntracestate: a=1\r\n")]
    [InlineData($"traceparent: {Valid}\r\nTRACEPARENT: nonsense\r\n")]
    [InlineData("traceparent: nonsense\r\ntracestate: a=1\r\n")]
    [InlineData("tracestate: a=1\r\n")]
    [InlineData("traceparent:\r\n")]
    [InlineData($"traceparent: {Valid},{Valid}\r\n")]
    public void Read_FaultyOrSeveral_IsNone(string headers)
    {
        Assert.Equal(default, Read(headers));
        Assert.Equal(default, TraceParent.IdOf(DispatchRig.Head("/", headers)));
    }

    [Theory]
    [InlineData("A=1")]
    [InlineData("a")]
    [InlineData("=1")]
    [InlineData("a=")]
    [InlineData("a=1=2")]
    [InlineData("a=\u00e4")]
    [InlineData("a=1,b")]
    [InlineData("a b=1")]
    public void Read_FaultyState_IsDroppedAlone(string state)
    {
        var context = Read($"traceparent: {Valid}\r\ntracestate: {state}\r\n");

        Assert.Equal((TraceId, null), (context.TraceId.ToHexString(), context.TraceState));
    }

    [Fact]
    public void Read_HugeState_LosesMembersFromItsEnd()
    {
        var members = Enumerable.Range(0, 32).Select(i => $"k{i:00}={new string('v', 20)}").ToArray();

        var state = Read($"traceparent: {Valid}\r\ntracestate: {string.Join(",", members)}\r\n").TraceState!;

        Assert.InRange(state.Length, 512 - 26, 512);
        Assert.StartsWith(state, string.Join(",", members), StringComparison.Ordinal);
        Assert.Equal(32, Read($"traceparent: {Valid}\r\ntracestate: {string.Join(",", Enumerable.Range(0, 99).Select(i => $"k{i}=v"))}\r\n")
            .TraceState!.Split(',').Length);
        Assert.Null(Read($"traceparent: {Valid}\r\ntracestate: a={new string('v', 20_000)}\r\n").TraceState);
    }

    [Fact]
    public void IdOf_Valid_IsTheTraces()
        => Assert.Equal(TraceId, TraceParent.IdOf(DispatchRig.Head("/", $"traceparent: {Valid}\r\n")).ToString("x32", null));

    private static ActivityContext Read(string headers) => TraceParent.Read(DispatchRig.Head("/", headers));
}
