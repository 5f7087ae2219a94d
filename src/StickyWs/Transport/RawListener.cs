using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>
/// A listener whose socket is bound like Kestrel's own, but whose connections are accepted without the runtime's socket engine: once that engine has
/// waited on a descriptor, it wakes up on every packet. A reactor accepts them, and they are assigned to the reactors in turn. Those that the arrival
/// service has no use for are Kestrel's. After any failure it pauses briefly and continues.
/// </summary>
internal sealed partial class RawListener : IConnectionListener
{
    // Consecutive connections that broke in the backlog, before it pauses.
    private const int MostBroken = 64;

    // Accepted at once, before the sockets of the reactor have their turn: some 100 us each.
    private const int MostPerTurn = 16;

    private readonly Socket _listening;
    private readonly ReactorGroup _reactors;
    private readonly RawSocketAcceptor _acceptor;
    private readonly ChannelSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DescriptorBudget? _budget;
    private readonly AcceptGate? _gate;
    private readonly Pace _pace;
    private readonly RawAddress? _boundAddress;
    private readonly ListenerHandover? _handover;
    private readonly ParkedListener? _inherited;
    private readonly ListenerTerm _term = new();
    private readonly Arrivals _arrivals;
    private CancellationToken _stopTime = new(canceled: true);
    private int _hasBegun;
    private int _broken;
    private volatile bool _isUnbound;

    /// <summary>Goes on where another listener on the same address has stopped.</summary>
    public RawListener(
        ParkedListener inherited, ReactorGroup reactors, ChannelSettings settings, TimeProvider time, ILogger logger, DescriptorBudget? budget,
        ListenerHandover handover)
        : this(inherited.Listening, reactors, settings, time, logger, budget, handover)
    {
        _inherited = inherited;
        inherited.TakeOver(_arrivals.Wake);
    }

    /// <param name="listening">The socket; owned by the listener.</param>
    /// <param name="reactors">Serve its connections.</param>
    /// <param name="settings">Of its connections.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs its failures.</param>
    /// <param name="budget">The descriptors that connections need.</param>
    /// <param name="handover">Takes socket and connections when its endpoint has changed.</param>
    public RawListener(
        Socket listening, ReactorGroup reactors, ChannelSettings settings, TimeProvider time, ILogger logger, DescriptorBudget? budget = null,
        ListenerHandover? handover = null)
    {
        _listening = listening;
        _handover = handover;
        _reactors = reactors;
        _settings = settings;
        _time = time;
        _logger = logger;
        _budget = budget;
        _gate = budget is null ? null : new AcceptGate(budget);
        _pace = Pace.OfWarnings(time);
        EndPoint = listening.LocalEndPoint!;
        if (EndPoint is IPEndPoint bound && !bound.Address.Equals(IPAddress.Any) && !bound.Address.Equals(IPAddress.IPv6Any))
            _boundAddress = new RawAddress(bound);
        SocketOptions.SetUrgentInline((int)listening.Handle);
        _arrivals = new Arrivals(_term, time, logger);
        _term.Arrivals = _arrivals;
        _acceptor = new RawSocketAcceptor(reactors.Next(), (int)listening.Handle);
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) == 0) _ = AcceptAllAsync();
        while (!_isUnbound)
        {
            if (_inherited is not null && _inherited.TryTake(out var handedOver)) return handedOver.Adopt(_term, EndPoint);
            if (_arrivals.TryTake(out var connection)) return connection;
            await _arrivals.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (_isUnbound) return default;
        _isUnbound = true;
        _stopTime = cancellationToken;
        _gate?.Drained();
        _acceptor.Dispose();
        if (EndPoint is IPEndPoint bound && _handover?.TryPark(bound, _listening) is { } successor)
        {
            // Connections that came here and are still waiting go on waiting there.
            successor.Leave([.. _inherited?.Earlier ?? [], _arrivals]);
            _inherited?.MoveTo(successor);
            _term.End(successor);
            _arrivals.End();
            return default;
        }

        (_inherited ?? new ParkedListener(_listening)).Close();
        _arrivals.Stop();
        _arrivals.End();
        return default;
    }

    /// <summary>Unbinds, and waits for the connections that Kestrel does not know of. Those that have a successor go on with it.</summary>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        if (_term.Successor is not null) return;
        await Task.WhenAll(from arrivals in _inherited?.Earlier.Append(_arrivals) ?? [_arrivals] select arrivals.FinishAsync(_stopTime)).ConfigureAwait(false);
    }

    // On the acceptor's reactor, except after a pause.
    private async Task AcceptAllAsync()
    {
        var left = MostPerTurn;
        while (!_isUnbound)
        {
            var rests = false;
            try
            {
                await _acceptor.Reactor.SwitchTo();
                if (_gate is { IsOpen: false } || _arrivals.IsCrowded) rests = true;
                else if (TryAccept() is not { } error) left--;
                else if (error != Errno.EAGAIN) rests = IsToRest(error);
                else if (_acceptor.IsBlind) rests = WatchAnew();
                else
                {
                    await _acceptor.WaitAsync(CancellationToken.None).ConfigureAwait(false);
                    left = MostPerTurn;
                }
            }
#pragma warning disable CA1031 // A defect, or a failing logger.
            catch (Exception e)
#pragma warning restore CA1031
            {
                TryLogFailed(e);
                rests = true;
            }

            if (rests) await Task.Delay(AcceptGate.Rest, _time, CancellationToken.None).ConfigureAwait(false);
            else if (left > 0) continue;
            else await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // The reactor's sockets have their turn before it is back.
            left = MostPerTurn;
        }

        _gate?.Drained();
    }

    // Whether there was one: null.
    private Errno? TryAccept()
    {
        var error = _acceptor.TryAccept(out var fd, out var remote);
        if (error == Errno.EAGAIN) _gate?.Drained();
        if (error is not (Errno.None or Errno.EAGAIN)) return error;
        _broken = 0;
        if (error == Errno.EAGAIN) return error;
        var socket = new RawSocket(_reactors.Next(), fd);
        _arrivals.Add(new RawConnection(socket, _boundAddress, remote, _settings, _logger, _budget?.Admit(), _term));
        return null;
    }

    private static bool IsOfOne(Errno error) => error
        is Errno.ECONNABORTED or Errno.EINTR or Errno.EPROTO or Errno.ENONET
        or Errno.ENETDOWN or Errno.ENETUNREACH or Errno.EHOSTDOWN or Errno.EHOSTUNREACH;

    private bool IsToRest(Errno error)
    {
        // That connection broke in the backlog (accept(2)); the next may be fine.
        if (IsOfOne(error) && ++_broken < MostBroken) return false;

        // Usually descriptors or memory are short. The connection stays in the backlog, and nothing will report it again.
        _broken = 0;
        if (!_isUnbound && _pace.TryPass()) LogCannotAccept(_logger, EndPoint, error);
        return true;
    }

    // Then pauses: what the kernel refuses to watch now it may still refuse in a moment.
    private bool WatchAnew()
    {
        if (!_isUnbound && _pace.TryPass()) LogBlind(_logger, EndPoint);
        _acceptor.WatchAnew(_reactors.Next());
        return true;
    }

    private void TryLogFailed(Exception exception)
    {
        try
        {
            if (_pace.TryPass()) LogAcceptFailed(_logger, EndPoint, exception);
        }
#pragma warning disable CA1031 // The logger itself may have failed.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The failure cannot be reported anywhere.
        }
    }
}
