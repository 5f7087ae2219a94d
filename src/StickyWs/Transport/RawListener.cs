using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>
/// A listener whose socket is bound as Kestrel's own, and whose connections are accepted without the runtime's socket engine: a descriptor that the engine has ever waited on
/// would wake it on every packet. Connections go to the reactors in turn.
/// </summary>
internal sealed partial class RawListener : IConnectionListener
{
    private static readonly TimeSpan TimeBetweenWarnings = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listening;
    private readonly ReactorGroup _reactors;
    private readonly RawSocketAcceptor _acceptor;
    private readonly ChannelSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RawAddress? _boundAddress;
    private long? _lastWarning;
    private volatile bool _isUnbound;

    public RawListener(Socket listening, ReactorGroup reactors, ChannelSettings settings, TimeProvider time, ILogger logger)
    {
        _listening = listening;
        _reactors = reactors;
        _settings = settings;
        _time = time;
        _logger = logger;
        EndPoint = listening.LocalEndPoint!;
        if (EndPoint is IPEndPoint bound && !bound.Address.Equals(IPAddress.Any) && !bound.Address.Equals(IPAddress.IPv6Any)) _boundAddress = new RawAddress(bound);
        SocketOptions.SetUrgentInline((int)listening.Handle);
        _acceptor = new RawSocketAcceptor(reactors.First, (int)listening.Handle);
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (!_isUnbound)
        {
            switch (_acceptor.TryAccept(out var fd, out var remote))
            {
                case Errno.None:
                    return new RawConnection(new RawSocket(_reactors.Next(), fd), _boundAddress, remote, _settings, _logger);
                case Errno.Again:
                    await _acceptor.WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case Errno.Aborted or Errno.Interrupted or Errno.Protocol or Errno.NoNetwork or Errno.NetworkDown or Errno.NetworkUnreachable or Errno.HostDown or Errno.HostUnreachable:
                    break; // That one broke in the backlog (accept(2)); the next may be well.
                case var error:
                    // Descriptors or memory are short, as a rule. The connection stays in the backlog, and nothing will report it again.
                    if (_lastWarning is null || _time.GetElapsedTime(_lastWarning.Value) > TimeBetweenWarnings)
                    {
                        _lastWarning = _time.GetTimestamp();
                        LogCannotAccept(_logger, EndPoint, error);
                    }

                    await Task.Delay(PauseWithoutDescriptors, _time, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (_isUnbound) return default;
        _isUnbound = true;
        _acceptor.Dispose();
        // On io_uring the poll for connections holds the socket open, beyond its descriptor, until a reactor that may be busy has ended it.
        _ = Libc.Shutdown((int)_listening.Handle, Libc.ShutReceive);
        _listening.Dispose();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
