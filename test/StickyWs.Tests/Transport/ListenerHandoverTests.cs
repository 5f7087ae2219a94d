using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class ListenerHandoverTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<ListenerHandover> _log = new();
    private readonly ListenerHandover _handover;
    private bool _isKept = true;

    public ListenerHandoverTests() => _handover = new ListenerHandover(_ => _isKept, _time, _log);

    public void Dispose() => _handover.Dispose();

    [Fact]
    public void TryPark_OfAnEndpointThatWasRemoved_LeavesTheSocketToTheCaller()
    {
        _isKept = false;
        using var listening = Listen();

        Assert.Null(_handover.TryPark(EndPointOf(listening), listening));
        Assert.False(_handover.HasMoved);
        Connect(EndPointOf(listening));
    }

    [Fact]
    public void TryTake_GivesTheSocketWithItsBacklog()
    {
        using var listening = Listen();
        var endPoint = EndPointOf(listening);
        var parked = _handover.TryPark(endPoint, listening);
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        client.Connect(endPoint);

        Assert.True(_handover.TryTake(endPoint, out var taken));
        _time.Advance(ListenerHandover.LongestGap);

        Assert.Same(parked, taken);
        using var accepted = taken.Listening.Accept();
        Assert.False(_handover.TryTake(endPoint, out _));
        Assert.Equal("ListenerHandedOver", Assert.Single(_log.Collector.GetSnapshot()).Id.Name);
    }

    [Fact]
    public void TryTake_OfAnotherAddress_FindsNothing()
    {
        using var listening = Listen();
        _handover.TryPark(EndPointOf(listening), listening);

        Assert.False(_handover.TryTake(new IPEndPoint(IPAddress.Any, EndPointOf(listening).Port), out _));
    }

    [Fact]
    public void Park_ThatNobodyTakesInTime_IsClosedWithAWarning()
    {
        var listening = Listen();
        var endPoint = EndPointOf(listening);
        _handover.TryPark(endPoint, listening);

        _time.Advance(ListenerHandover.LongestGap - TimeSpan.FromMilliseconds(1));
        Connect(endPoint);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Throws<SocketException>(() => Connect(endPoint));
        Assert.Equal("ListenerGivenUp", Assert.Single(_log.Collector.GetSnapshot()).Id.Name);
        Assert.False(_handover.TryTake(endPoint, out _));
    }

    [Fact]
    public void Dispose_ClosesWhatIsParked()
    {
        var listening = Listen();
        var endPoint = EndPointOf(listening);
        _handover.TryPark(endPoint, listening);

        _handover.Dispose();

        Assert.Throws<SocketException>(() => Connect(endPoint));
    }

    private static Socket Listen()
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen(16);
        return listening;
    }

    private static IPEndPoint EndPointOf(Socket listening) => (IPEndPoint)listening.LocalEndPoint!;

    private static void Connect(IPEndPoint endPoint)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(endPoint);
    }
}
