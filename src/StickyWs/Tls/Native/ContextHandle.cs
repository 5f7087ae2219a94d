using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// A reference to an SSL_CTX. SSL objects have references of their own: this may be released while they live.
/// Released by the garbage collector where nobody does, as nobody knows when a replaced certificate's context is used for the last time.
/// </summary>
internal sealed class ContextHandle : SafeHandle
{
    public ContextHandle(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_CTX_free(handle);
        return true;
    }
}
