using System.Net;
using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>Resolves names to addresses.</summary>
internal interface INameResolver
{
    /// <summary>The addresses of a name, the preferred one first.</summary>
    /// <exception cref="SocketException">The name does not exist, or no name server answers.</exception>
    ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}
