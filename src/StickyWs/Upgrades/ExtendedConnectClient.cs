using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Http1;

namespace StickyWs.Upgrades;

/// <summary>
/// A WebSocket or another upgrade on a stream of an HTTP/2 connection, by extended CONNECT (RFC 8441). The backend sees an HTTP/1.1 upgrade.
/// </summary>
internal sealed class ExtendedConnectClient(HttpContext context, IHttpExtendedConnectFeature connect) : PipelineClient(context)
{
    public override bool HasOwnKey => false;

    // The stream's: its connection carries others.
    public override string ConnectionId => Context.TraceIdentifier;

    protected override async ValueTask<IDuplexPipe> UpgradeAsync(ResponseHead answer)
    {
        Context.Response.StatusCode = StatusCodes.Status200OK;
        return ToPipe(await connect.AcceptAsync().ConfigureAwait(false));
    }
}
