using System.Net;
using StickyWs.Backends;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Draining;

/// <summary>A tunnel without sockets. It ends when it is told to go, unless it is stubborn, and when it is aborted.</summary>
internal sealed class FakeTunnel(Lease lease, TunnelTable table) : Tunnel("fake", lease, table.Now)
{
    private int _hasEnded;

    /// <summary>Ends by an abort only.</summary>
    public bool IsStubborn { get; init; }

    /// <summary>What <see cref="ReadIdle"/> says.</summary>
    public long Idle { get; init; }

    public bool InMemory { get; init; }

    /// <summary>Is thrown by whatever is asked of it.</summary>
    public Exception? Defect { get; set; }

    /// <summary>How often it was told to go.</summary>
    public int Words { get; private set; }

    public Goodbye? Said { get; private set; }

    /// <summary>When it was told, on the table's clock.</summary>
    public DateTimeOffset SaidAt { get; private set; }

    public bool HasEnded => _hasEnded != 0;

    public override string Lane => LaneNames.Raw;

    public override bool IsInMemory => InMemory;

    public override ConnectionTuple? Tuple => null;

    public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync() => default;

    public override long ReadIdle() => Defect is null ? Idle : throw Defect;

    public static FakeTunnel Open(
        Backend backend, TunnelTable table, bool isStubborn = false, long idle = 0, bool inMemory = false, ILeaseEnd? end = null)
    {
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease, end));
        var tunnel = new FakeTunnel(lease, table) { IsStubborn = isStubborn, Idle = idle, InMemory = inMemory };
        return tunnel.Open(table);
    }

    /// <summary>Opens one with the frames of a WebSocket, whose client has an address.</summary>
    public static FakeTunnel OpenFramed(Lease lease, TunnelTable table, long idle = 0, IPAddress? client = null, bool isStubborn = false)
    {
        var tunnel = new FakeTunnel(lease, table) { Idle = idle, IsStubborn = isStubborn };
        tunnel.Begin(0, FrameCursor.OfBackend, hasFrames: true, client);
        return tunnel.Open(table);
    }

    private FakeTunnel Open(TunnelTable table)
    {
        var tunnel = this;
        table.TryOpen(tunnel);
        table.Announce(tunnel);
        return tunnel;
    }

    public override void Abort(EndReason reason)
    {
        Note(reason);
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0) table.Close(this);
    }

    public override void Say(Goodbye goodbye)
    {
        Words++;
        if (Defect is not null) throw Defect;
        if (Said is not null || HasEnded) return;
        (Said, SaidAt) = (goodbye, table.Time.GetUtcNow());
        if (!IsStubborn) Abort(goodbye.End);
    }
}
