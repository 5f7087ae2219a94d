using System.Net;
using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>Which addresses a name has.</summary>
internal interface INameResolver
{
    /// <summary>The addresses of a name, the preferred one first.</summary>
    /// <exception cref="SocketException">The name does not exist, or nobody knows now.</exception>
    ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}
