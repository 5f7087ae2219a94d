using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace StickyWs.Fuzz;

/// <summary>A connection over pipes that tells its other end when Kestrel lets go of it.</summary>
internal sealed class MemoryConnection : DefaultConnectionContext
{
    public MemoryConnection(IDuplexPipe transport) => Transport = transport;

    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        await base.DisposeAsync();
    }
}
