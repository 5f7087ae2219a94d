using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>A pair under stress: both peers and what becomes of them, all by one seed.</summary>
internal sealed class StressPair
{
    private const int RefusalsOfAStall = 50;

    private readonly Random _random;
    private readonly Reactor _reactor;
    private readonly PairWitness _witness = new();
    private readonly Fate _fate;
    private readonly StressPeer _client;
    private readonly StressPeer _backend;
    private int _stepsLeft;
    private int _number;
    private bool _isFated;

    public StressPair(int seed, Reactor reactor, Loopback loopback, StressTls? tls)
    {
        Seed = seed;
        _reactor = reactor;
        _random = new Random(seed);
        var fates = tls is null ? (int)Fate.ClientTruncates : (int)Fate.None;
        _fate = _random.Next(fates * 2) is var fate && fate < fates ? (Fate)fate : Fate.None;
        _stepsLeft = _random.Next(400);
        var (client, clientFd) = loopback.Connect();
        var (backend, backendFd) = loopback.Connect();
        (client.Blocking, backend.Blocking) = (false, false);
        var (toBackend, toClient) = (_random.NextInt64(1_000_000), _random.NextInt64(1_000_000));
        var (clients, ours) = tls?.Connect(_random, isClient: false) ?? default;
        var (backends, oursToo) = tls?.Connect(_random, isClient: true) ?? default;
        _client = new StressPeer(
            client, new Random(_random.Next()), _fate == Fate.Stalls ? long.MaxValue : _random.Next(400_000), toBackend, toClient, clients);
        _backend = new StressPeer(backend, new Random(_random.Next()), _random.Next(400_000), toClient, toBackend, backends)
        {
            NeverReads = _fate == Fate.Stalls,
        };
        var limits = _random.Next(2) == 0 ? default : new PairLimits(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        var (clientSocket, backendSocket) = (new RawSocket(reactor, clientFd).ReleaseWatched(), new RawSocket(reactor, backendFd).ReleaseWatched());
        reactor.Run(() => _number = PairRelay.Of(reactor).Join(
            clientSocket, backendSocket, _witness, limits, ours is null ? null : new TlsStart(ours, default),
            oursToo is null ? null : new TlsStart(oursToo, default)));
    }

    private enum Fate
    {
        ClientResets,
        BackendResets,
        Aborted,
        AbortedTwice,
        Stalls,

        // These only within TLS.
        ClientTruncates,
        BackendTruncates,
        ClientForges,
        BackendForges,
        None,
    }

    public int Seed { get; }

    public PairWitness Witness => _witness;

    public long Events => _client.Events + _backend.Events + _witness.Moves;

    public bool IsOver => _witness.Ended.IsCompleted && _client.IsOver && (_backend.IsOver || _fate == Fate.Stalls);

    public void Step()
    {
        _client.Step();
        _backend.Step();
        if (_isFated || (_fate == Fate.Stalls ? _client.Refusals < RefusalsOfAStall : _stepsLeft-- > 0)) return;
        _isFated = true;
        switch (_fate)
        {
            case Fate.ClientResets or Fate.Stalls:
                _client.Reset();
                break;
            case Fate.BackendResets:
                _backend.Reset();
                break;
            case Fate.ClientTruncates:
                _client.Truncate();
                break;
            case Fate.BackendTruncates:
                _backend.Truncate();
                break;
            case Fate.ClientForges:
                _client.Forge();
                break;
            case Fate.BackendForges:
                _backend.Forge();
                break;
            case Fate.Aborted or Fate.AbortedTwice:
                _reactor.Run(Abort);
                if (_fate == Fate.AbortedTwice) _reactor.Run(Abort);
                break;
        }
    }

    /// <summary>Says what is wrong with it, now that it is over.</summary>
    public string? Verdict()
    {
        var reason = _witness.Ended.Result;
        if (_witness.Ends != 1) return $"told {_witness.Ends} times of its end";
        if (_client.Got > _backend.Sent || _backend.Got > _client.Sent) return "got more than was sent";
        if (_fate != Fate.None) return reason is EndReason.Failed or EndReason.IdleTimeout ? $"{_fate} ended as {reason}" : null;
        if (reason is not (EndReason.ClientClosed or EndReason.BackendClosed)) return $"ended as {reason}, though in order";
        if (!_client.HasEnd || !_backend.HasEnd) return "broke, though it ended in order";
        if (!_client.HasWholeEnd || !_backend.HasWholeEnd) return "ended without a close_notify";
        if (_client.Got != _backend.Sent || _backend.Got != _client.Sent)
            return $"lost bytes: {_backend.Got} of {_client.Sent}, {_client.Got} of {_backend.Sent}";
        return _witness.ToBackend == _client.Sent && _witness.ToClient == _backend.Sent ? null : "counted wrong";
    }

    public void Close()
    {
        _client.Close();
        _backend.Close();
    }

    // As a tunnel does it: on the reactor's thread, and only while it lives.
    private void Abort()
    {
        if (_witness.Ends == 0) PairRelay.Of(_reactor).Abort(_number);
    }
}
