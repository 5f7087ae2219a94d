using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace StickyWs.Transport;

/// <summary>
/// The raw lane's transport for Kestrel: IP endpoints, if the raw lane is on. It declines everything else, and Kestrel then uses its own sockets.
/// Socket options and backlog are those of <see cref="SocketTransportOptions"/>, as for Kestrel's own transport.
/// </summary>
internal sealed class RawTransportFactory(
    RawLane lane, IOptions<SocketTransportOptions> options, DescriptorBudget budget, TimeProvider time, ILoggerFactory loggers, ListenerHandover handover)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint && lane.Reactors is not null;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var logger = loggers.CreateLogger<RawListener>();
        if (endpoint is IPEndPoint address && handover.TryTake(address, out var inherited))
        {
            try
            {
                return ValueTask.FromResult<IConnectionListener>(
                    new RawListener(inherited, lane.Reactors!, lane.Channels, time, logger, budget, handover));
            }
            catch
            {
                inherited.Close();
                throw;
            }
        }

        var listening = Bind(endpoint);
        try
        {
            listening.NoDelay = options.Value.NoDelay; // Accepted sockets inherit it on Linux.
            listening.Listen(options.Value.Backlog);
            listening.Blocking = false;
            return ValueTask.FromResult<IConnectionListener>(
                new RawListener(listening, lane.Reactors!, lane.Channels, time, logger, budget, handover));
        }
        catch
        {
            listening.Dispose();
            throw;
        }
    }

    private Socket Bind(EndPoint endpoint)
    {
        try
        {
            return options.Value.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
    }
}
