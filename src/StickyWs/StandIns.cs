using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Dispatch;
namespace StickyWs.Health { internal sealed class BreakerBoard : IOutcomeSink { public void Succeeded(Backend backend) { } public void Failed(Backend backend, string cause) { } } }
namespace StickyWs.Proxying { internal sealed class RequestProxy { public Task ForwardAsync(HttpContext context, Decision decision) => throw new NotSupportedException(context.ToString() + decision); } }
