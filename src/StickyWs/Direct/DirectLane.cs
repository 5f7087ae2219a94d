using System.Runtime.CompilerServices;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>
/// HTTP/1.1 that never leaves its reactor. A client of the raw lane whose first request is plain HTTP comes here while there is a direct pool, and
/// stays until a head comes that is not for this lane. If that asks for a WebSocket, the connection goes the way of one whose first request it is; else
/// Kestrel goes on with it, for good. Requests for the app go to that over a connection of their own.
/// </summary>
internal sealed class DirectLane : IDisposable
{
    private readonly ConditionalWeakTable<Reactor, DirectDesk> _desks = [];
    private readonly DirectServices _services;

    public DirectLane(DirectServices services)
    {
        _services = services;
        if (services.Budget is { } budget) budget.Short += CloseIdle;
    }

    /// <summary>Whether there is a direct pool, so that plain clients should come here first.</summary>
    public bool IsWanted => _services.HasPools;

    /// <summary>The direct lane on a reactor.</summary>
    public DirectDesk On(Reactor reactor) => _desks.GetValue(reactor, reactor => new DirectDesk(reactor, _services));

    /// <summary>Serves a client. From any thread.</summary>
    /// <param name="connection">Its connection, of which nothing was read but what <paramref name="tls"/> has.</param>
    /// <param name="features">What the app is to know of it.</param>
    /// <param name="connectionId">Its id in lines.</param>
    /// <param name="stopping">Fires when clients are no longer waited for.</param>
    /// <param name="tls">What its TLS handshake has led to, if it speaks TLS; owned by the lane from here on.</param>
    /// <param name="tlsVersion">The version of it, for lines.</param>
    /// <returns>How it has left, and what it has left: unless it is over, the connection was given back.</returns>
    /// <exception cref="IOException">The kernel cannot watch another socket; the connection still owns it.</exception>
    public async ValueTask<Departure> ServeAsync(
        IRawConnection connection, IArrivalFeatures features, string connectionId, CancellationToken stopping, TlsStart? tls = null,
        string? tlsVersion = null)
    {
        var reactor = connection.Bare.Reactor;
        await reactor.SwitchTo();
        var client = new DirectClient(On(reactor), connection, features, connectionId) { TlsVersion = tlsVersion };
        try
        {
            client.Begin(tls);
        }
        catch
        {
            tls?.End.Dispose();
            throw;
        }

        tls = null; // What came with the handshake is not kept.
        var leaving = stopping.UnsafeRegister(static client => ((DirectClient)client!).Leave(), client);
        try
        {
            return await client.Done.ConfigureAwait(false);
        }
        finally
        {
            leaving.Unregister();
        }
    }

    public void Dispose()
    {
        if (_services.Budget is { } budget) budget.Short -= CloseIdle;
    }

    // New clients wait for descriptors.
    private void CloseIdle()
    {
        foreach (var (reactor, desk) in _desks) reactor.Run(() => desk.Kept.CloseSurplus(_services.Budget!.Surplus));
    }
}
